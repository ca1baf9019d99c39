import type { AgentType } from '../agent-type.ts';
import type { AgentTerminal } from '../terminal/agent-terminal.ts';
import { ScreenImage } from '../terminal/screen.ts';
import { Alarm } from './alarm.ts';
import { printsUnseenText } from './frozen-screen.ts';
import { type ConversationTiming, stillnessMs } from './timing.ts';
import { isWorkingTitle, ScreenFacts, stillnessNeededMs } from './turn-status.ts';

/** The last snapshot of an agent's screen: what it shows and for how long. */
export class ScreenWatch {
  readonly #terminal: AgentTerminal;
  readonly #type: AgentType;
  readonly #timing: ConversationTiming;
  readonly #recheck: Alarm;
  readonly #startedAt = performance.now();
  #screen = new ScreenImage('', 0, 0);
  #facts: ScreenFacts;
  #title = '';
  #seenChanges = -1;
  #changedAt = this.#startedAt;

  /** @param onDue - called when a screen that has not changed may mean something else by now. */
  constructor(terminal: AgentTerminal, type: AgentType, timing: ConversationTiming, onDue: () => void) {
    this.#terminal = terminal;
    this.#type = type;
    this.#timing = timing;
    this.#recheck = new Alarm(onDue);
    this.#facts = new ScreenFacts(type, '');
  }

  get screen(): ScreenImage {
    return this.#screen;
  }

  get facts(): ScreenFacts {
    return this.#facts;
  }

  get title(): string {
    return this.#title;
  }

  /** Takes a new snapshot. @returns whether a character or the size has changed. */
  take(): boolean {
    this.#terminal.settled();
    const screen = this.#terminal.read();
    this.#seenChanges = this.#terminal.changes;
    this.#takeTitle(this.#terminal.title);
    if (screen.equals(this.#screen)) return false;
    this.#screen = screen;
    this.#facts = new ScreenFacts(this.#type, screen.text);
    this.#changedAt = performance.now();
    return true;
  }

  #takeTitle(title: string): void {
    if (title === this.#title) return;
    this.#title = title;
    // An animated title is a sign of life even while the screen stands still.
    if (isWorkingTitle(title)) this.#changedAt = performance.now();
  }

  /**
   * Whether the screen has stood still for so long that the agent must be waiting; `onDue` follows in time.
   * @param promptBefore - whether the agent showed its prompt when it was last given something to do.
   */
  isStill(promptBefore: boolean): boolean {
    // Output that has been applied but not read: its snapshot is on the way.
    if (this.#terminal.changes !== this.#seenChanges) return false;
    const stillFor = performance.now() - this.#changedAt;
    let needed = stillnessMs(this.#timing.intervalMs, this.#timing.stabilityMs);
    if (stillFor >= needed) {
      needed = stillnessNeededMs(this.#facts, { promptBefore, title: this.#title }, this.#timing);
    }
    if (stillFor < needed) this.#recheck.in(needed - stillFor);
    return stillFor >= needed;
  }

  /**
   * Whether the agent has shown something, and the time is up in which it should have shown a prompt;
   * `onDue` follows in time. A blank screen is that of a program which is still being loaded.
   */
  isPromptOverdue(): boolean {
    if (this.#screen.text === '') return false;
    const rest = this.#startedAt + this.#timing.readyTimeoutMs - performance.now();
    if (rest > 0) this.#recheck.in(rest);
    return rest <= 0;
  }

  /** Whether the program still prints text, but the screen has shown nothing new for long (AA-171). */
  isFrozen(): boolean {
    if (performance.now() - this.#changedAt < this.#timing.frozenAfterMs) return false;
    return printsUnseenText(this.#terminal.lastOutput, this.#screen.text);
  }

  /** Ends the timer. */
  dispose(): void {
    this.#recheck.clear();
  }
}
