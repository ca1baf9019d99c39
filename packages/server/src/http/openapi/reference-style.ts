/** How the reference page looks; light or dark as the reader's system is, one column on a phone. */
export const REFERENCE_STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1c2024, #e4e7eb); --soft: light-dark(#5c6670, #9aa5b1);
  --page: light-dark(#ffffff, #14171a); --panel: light-dark(#f5f7f9, #1c2126); --line: light-dark(#dde2e7, #323a42);
  --link: light-dark(#0b5cad, #7db8f5); --get: light-dark(#0b6b3a, #62d394); --post: light-dark(#0b5cad, #7db8f5);
  --put: light-dark(#8a5300, #f0b45a); --delete: light-dark(#b3261e, #ff8a80); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--page);
  display: grid; grid-template-columns: 20rem minmax(0, 1fr); }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1rem; background: var(--panel);
  border-right: 1px solid var(--line); font-size: .875rem; }
nav h2 { margin: 1.2rem 0 .3rem; font-size: .8rem; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; align-items: baseline; gap: .5rem; padding: .2rem .3rem; color: var(--text); border-radius: 4px; }
nav li a:hover { background: var(--line); text-decoration: none; }
nav .method { flex: 0 0 3.4rem; }
nav span { overflow-wrap: anywhere; }
.title { margin: 0; font-size: 1rem; font-weight: 600; }
main { padding: 1.5rem clamp(1rem, 4vw, 3rem) 4rem; max-width: 60rem; }
h1 { margin: 0 0 1rem; font-size: 1.9rem; line-height: 1.2; }
section > h2 { margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
article { margin: 1.2rem 0; padding: 1rem 1.2rem; border: 1px solid var(--line); border-radius: 8px; }
article:target { border-color: var(--link); }
article h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
article h4 { margin: 1rem 0 .3rem; font-size: .9rem; }
p { margin: .4rem 0; }
.summary { font-weight: 600; }
small { color: var(--soft); font-weight: normal; }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
dl { margin: .3rem 0; }
dt { margin-top: .4rem; }
dd { margin: 0 0 0 1.2rem; color: var(--soft); }
dd dl { padding-left: .6rem; border-left: 2px solid var(--line); }
details { margin-top: .8rem; }
summary { cursor: pointer; font-size: .9rem; }
.method { font: 600 .8em ui-monospace, Menlo, Consolas, monospace; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .delete { color: var(--delete); }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 45vh; border-right: 0; border-bottom: 1px solid var(--line); }
  article { padding: .8rem; }
}
`;
