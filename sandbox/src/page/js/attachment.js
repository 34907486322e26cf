// A file of a message: a picture is shown with the words that stand for it, anything else by its name.

import { node } from "./node.js";
import { here } from "./state.js";

/** The element for a file. */
export function attachmentNode({ address, name, alt, bytes, size }) {
  const link = { href: `${address}?${new URLSearchParams(here())}`, target: "_blank", rel: "noopener noreferrer" };
  if (!size) {
    return node("p", { class: "file" }, node("a", { ...link, download: name }, name), ` ${Math.ceil(bytes / 1024)} KB`);
  }
  const [width, height] = size;
  // Its size is known before it is there, so that nothing jumps.
  const picture = node("a", link, node("img", { src: link.href, alt: alt || name, width, height }));
  const words = alt && node("details", {}, node("summary", { "data-key": `alt-${address}` }, "ALT"), node("p", {}, alt));
  return node("div", { class: "picture" }, picture, words);
}
