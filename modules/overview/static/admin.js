// Buttons of students: each asks the server once; a reset asks the teacher for the student's id before.
"use strict";

const proof = document.querySelector("meta[name=stacklab-proof]").content;
const refused = document.getElementById("refused");
const sure = document.getElementById("sure");
const typed = document.getElementById("typed");
const yes = document.getElementById("sure-yes");
let whose = "";

async function ask(student, action, confirm) {
  let said = "";
  try {
    const answer = await fetch("do", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Stacklab-Proof": proof },
      body: JSON.stringify({ student, action, confirm }),
    });
    if (!answer.ok) said = await answer.text();
  } catch {
    said = "the command of this page does not answer";
  }
  refused.textContent = said;
  refused.hidden = !said;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  const { of, action } = button.dataset;
  if (action !== "reset") {
    ask(of, action);
    return;
  }
  whose = of;
  for (const place of sure.querySelectorAll("[data-whose]")) place.textContent = of;
  typed.value = "";
  yes.disabled = true;
  sure.showModal();
  typed.focus();
});

typed.addEventListener("input", () => {
  yes.disabled = typed.value !== whose;
});

typed.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !yes.disabled) yes.click();
});

yes.addEventListener("click", () => {
  sure.close();
  ask(whose, "reset", typed.value);
});

document.getElementById("sure-no").addEventListener("click", () => sure.close());
