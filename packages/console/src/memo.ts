import { Component, createElement, type ComponentChildren, type FunctionComponent } from 'preact';

/** A component that is drawn again only when one of its properties is another. */
export function memo<Props extends object>(
  Inner: FunctionComponent<Props>,
): new (props: Props) => Component<Props> {
  return class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const [before, after] = [Object.entries(this.props), Object.entries(next)];
      if (before.length !== after.length) return true;
      const known = new Map<string, unknown>(before);
      return after.some(([name, value]) => known.get(name) !== value);
    }

    override render(props: Props): ComponentChildren {
      return createElement(Inner, props);
    }
  };
}
