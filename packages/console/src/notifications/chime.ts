/** Two short tones, quiet. */
const TONES = [
  { frequency: 660, at: 0 },
  { frequency: 880, at: 0.12 },
] as const;
const LENGTH_S = 0.25;
const VOLUME = 0.06;

/** Plays a short sound; browsers allow it once the page has been clicked. */
export function playChime(): void {
  const context = new AudioContext();
  for (const { frequency, at } of TONES) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const start = context.currentTime + at;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(VOLUME, start);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + LENGTH_S);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + LENGTH_S);
  }
  setTimeout(() => {
    context.close().catch(() => undefined);
  }, 1_000);
}
