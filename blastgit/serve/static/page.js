// What pages do better with scripts: buttons that copy, and local time on hover. Nothing depends on it.
"use strict";
for (const box of document.querySelectorAll(".copy")) {
  const text = box.querySelector("pre");
  if (!navigator.clipboard) break;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  box.append(button);
}
for (const each of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(each.dateTime);
  if (!Number.isNaN(moment.valueOf())) each.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}
