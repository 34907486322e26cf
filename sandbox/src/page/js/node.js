// Builds DOM nodes. Text is only ever text: there is no way through here by which a name could become HTML.

/** node("p", { class: "text", onclick }, "words", otherNode) */
export function node(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Puts exactly these children into an element that is on the page; what had the focus has it again, if it is still there. */
export function fill(element, ...children) {
  const key = focusedKey(element);
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  refocus(element, key);
}

/** The `data-key` of what has the focus in an element. */
export const focusedKey = (element) => (element?.contains(document.activeElement) ? document.activeElement.dataset.key : undefined);

/** Gives the focus to what has this key now; whether there is such a thing. */
export function refocus(element, key) {
  const found = key !== undefined && element.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (found) found.focus({ preventScroll: true });
  return Boolean(found);
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Scrolls something into view, smoothly for those who like it. */
export function reveal(element, block) {
  element.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });
}

/** The element of the page with this id. */
export const part = (id) => document.getElementById(id);
