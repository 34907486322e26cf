// Puts the page together: who looks where, and all the parts that show what comes.

import { seek, showChannel } from "./channel.js";
import { showClock } from "./clock.js";
import { Composer } from "./composer.js";
import { showDroplets } from "./droplets.js";
import { Line } from "./live.js";
import { ways } from "./markdown.js";
import { count } from "./moment.js";
import { part } from "./node.js";
import { showPlaces } from "./seat.js";
import { here, state, watch } from "./state.js";
import { showSwitches } from "./switches.js";
import { showTheme } from "./theme.js";
import { showFirst, showTour } from "./tour.js";

showTheme();
const line = new Line((how) => {
  part("banner").hidden = how === "open";
  part("banner").textContent = "The demo does not answer. Trying again…";
});
/** Sits down in another seat or Channel. */
const go = (change) => {
  composer.showText();
  line.open({ ...here(), ...change });
};
showPlaces(go);
showChannel();
const composer = new Composer();
showDroplets();
showSwitches();
showClock();
showTour(composer, go);
showFirst(composer);
count();
ways.message = (id, channel) => {
  const place = state.place.channels.find((known) => known.id === channel);
  if (place && channel !== state.place.channel) go({ channel: place.name });
  seek(id);
};
part("skip").addEventListener("click", (event) => {
  event.preventDefault();
  composer.focus();
});

// The address tells seat and Channel, so that a second window can be a second person.
watch(["place"], () => history.replaceState(null, "", `?${new URLSearchParams(here())}`));

const narrow = matchMedia("(max-width: 760px)");
const panel = (open) => {
  part("panel").classList.toggle("open", open);
  // On a phone it covers all the rest, which then cannot be reached either.
  for (const other of [part("places"), part("talk")]) other.inert = open && narrow.matches;
  part("panel-toggle").setAttribute("aria-expanded", String(open));
  part(open ? "panel-close" : "panel-toggle").focus();
};
part("panel-toggle").addEventListener("click", () => panel(!part("panel").classList.contains("open")));
part("panel-close").addEventListener("click", () => panel(false));
part("panel").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && part("panel").classList.contains("open")) panel(false);
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    composer.slash();
  }
});

const asked = new URLSearchParams(location.search);
line.open({ seat: asked.get("seat"), channel: asked.get("channel") });
