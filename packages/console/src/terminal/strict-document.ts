/**
 * The document as the emulator may use it below a content security policy without inline styles. The emulator writes
 * `<style>` elements, which such a policy keeps out; the same rules are let in as style sheets of the object model. Its
 * `style` attributes are the build's matter (see vite.config.ts).
 */
export function strictDocument(document: Document): Document {
  const createElement = (name: string): HTMLElement => {
    const element = document.createElement(name);
    if (name === 'div') takeStylesIn(element);
    return element;
  };
  return new Proxy(document, {
    get: (target, property) => {
      if (property === 'createElement') return createElement;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A `<style>` that is put into the element is not, and its text becomes a sheet instead. */
function takeStylesIn(element: HTMLElement): void {
  element.appendChild = <T extends Node>(node: T): T => {
    if (!(node instanceof HTMLStyleElement)) return Node.prototype.appendChild.call(element, node) && node;
    becomeSheet(node);
    return node;
  };
}

function becomeSheet(style: HTMLStyleElement): void {
  const { ownerDocument } = style;
  const sheet = new CSSStyleSheet();
  let text = style.textContent;
  sheet.replaceSync(text);
  ownerDocument.adoptedStyleSheets = [...ownerDocument.adoptedStyleSheets, sheet];
  Object.defineProperty(style, 'textContent', {
    get: () => text,
    set: (value: string) => {
      text = value;
      sheet.replaceSync(value);
    },
  });
  style.remove = () => {
    ownerDocument.adoptedStyleSheets = ownerDocument.adoptedStyleSheets.filter((each) => each !== sheet);
  };
}
