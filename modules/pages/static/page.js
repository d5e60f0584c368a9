// Puts what the server sends into the elements it names, and says when the server is gone. All text comes escaped.
"use strict";

const gone = document.getElementById("gone");
const source = new EventSource("events");

source.onmessage = (event) => {
  for (const [name, html] of Object.entries(JSON.parse(event.data))) {
    const place = document.getElementById(name);
    if (!place) continue;
    // Who reads by keyboard stays where they are: on the element of the same name in the new text.
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = html;
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
};

source.onopen = () => {
  gone.hidden = true;
};

source.onerror = () => {
  gone.hidden = false;
};
