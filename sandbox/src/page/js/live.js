// The line to the page: opens it, takes in what comes, and opens it again when it was lost.

import { take } from "./state.js";

const LONGEST_PAUSE = 4000;

/** Keeps a line open for a seat and a Channel; `told` hears "open" and "lost". */
export class Line {
  constructor(told) {
    this.told = told;
    this.pause = 300;
  }

  /** Looks as this person at this Channel from now on. */
  open(place) {
    this.place = place;
    clearTimeout(this.retry);
    this.socket?.close();
    const address = new URL("/live", location.href);
    address.protocol = "ws:";
    for (const [name, value] of Object.entries(place)) {
      if (value) address.searchParams.set(name, value);
    }
    const socket = new WebSocket(address);
    this.socket = socket;
    let reloaded = true;
    socket.addEventListener("message", (event) => {
      // What an old line still has to say is about another seat.
      if (socket !== this.socket) return;
      this.pause = 300;
      take(JSON.parse(event.data), reloaded);
      if (reloaded) this.told("open");
      reloaded = false;
    });
    socket.addEventListener("close", () => {
      if (socket !== this.socket) return;
      this.told("lost");
      this.retry = setTimeout(() => this.open(this.place), this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    });
  }
}
