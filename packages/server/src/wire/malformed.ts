/** Which limit or rule a message breaks; the HTTP status belongs to the edge. */
export type MalformedKind = 'syntax' | 'target_too_long' | 'head_too_large' | 'version' | 'tunnel';

/** A message that is not HTTP/1.1, or that two readers could read in two ways. Never answered but by closing. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
  readonly kind: MalformedKind;

  /** `text` is a sentence about the rule, without bytes of the message. */
  constructor(text: string, kind: MalformedKind = 'syntax') {
    super(text);
    this.kind = kind;
  }
}
