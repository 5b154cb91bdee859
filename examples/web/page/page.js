// Starts batches and follows them. The server owns a batch: this page may come and go.
const at = (id) => document.getElementById(id);
const KEPT = "ideogram prompts"; // what was asked for last, for when the page comes back
let source = null;
let batch = null; // { id, total, prompts, done }

at("prompts").form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const prompts = at("prompts").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!prompts.length) return say("Type a prompt first.");
  at("start").disabled = true;
  try {
    const answer = await fetch("batches", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ prompts, aspect_ratio: at("shape").value }),
    });
    if (!answer.ok) return say(`That was refused: ${reason(await answer.text())}`);
    const { id } = await answer.json();
    localStorage.setItem(KEPT, JSON.stringify({ id, prompts }));
    history.pushState(null, "", `#${id}`);
    follow(id);
  } catch {
    say("The server can't be reached. Try again.");
  } finally {
    at("start").disabled = false;
  }
});

at("stop").addEventListener("click", () => {
  at("stop").disabled = true;
  fetch(`batches/${batch.id}`, { method: "DELETE" });
});

function follow(id) {
  source?.close();
  const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  batch = { id, total: 0, prompts: kept.id === id ? kept.prompts : [], done: 0 };
  at("pictures").replaceChildren();
  source = new EventSource(`batches/${encodeURIComponent(id)}/events`);
  source.addEventListener("batch", (event) => {
    batch.total = JSON.parse(event.data).total;
    for (let index = at("pictures").childElementCount; index < batch.total; index += 1) {
      at("pictures").append(waiting(batch.prompts[index]));
    }
    at("stop").hidden = at("stop").disabled = false;
    count();
  });
  source.addEventListener("outcome", (event) => {
    const outcome = JSON.parse(event.data);
    batch.done += 1;
    at("pictures").children[outcome.index].replaceWith(shown(outcome));
    count();
  });
  source.addEventListener("done", () => {
    source.close();
    at("stop").hidden = true;
    count("All done");
  });
  source.addEventListener("error", () => {
    const gone = source.readyState === EventSource.CLOSED;
    at("stop").hidden = true;
    say(gone ? "This batch isn't here any more." : "The connection broke; coming back …");
  });
}

function count(word = "Working") {
  const { total, done } = batch;
  const failed = at("pictures").querySelectorAll(".failed").length;
  at("progress").hidden = false;
  at("progress").max = total || 1;
  at("progress").value = done;
  say(`${word}: ${done} of ${total}${failed ? `, ${failed} without a picture` : ""}.`);
}

function say(text) {
  at("status").textContent = text;
}

function reason(text) {
  try {
    const { detail, extra } = JSON.parse(text); // as FastAPI and Litestar say it
    return extra?.[0]?.message ?? detail[0].msg ?? detail;
  } catch {
    return text.slice(0, 300);
  }
}

function waiting(prompt) {
  return figure("waiting", words("Waiting …"), prompt ?? "");
}

function shown({ prompt, response, error }) {
  if (error) return figure("failed", words(error.message), prompt ?? "");
  const image = response.data.find((each) => each.url && each.is_image_safe);
  if (!image) return figure("failed", words("Withheld by the service's safety check."), prompt);
  const link = document.createElement("a");
  const picture = document.createElement("img");
  link.href = picture.src = image.url;
  link.target = "_blank";
  link.rel = "noreferrer";
  picture.alt = prompt ?? "";
  picture.addEventListener("error", () => {
    link.closest("figure").replaceWith(
      figure("failed", words("The picture's link has expired."), prompt ?? ""),
    );
  });
  link.append(picture);
  return figure("done", link, prompt);
}

function figure(state, content, caption) {
  const made = document.createElement("figure");
  const frame = document.createElement("div");
  const text = document.createElement("figcaption");
  made.className = state;
  frame.className = "frame";
  frame.append(content);
  text.textContent = caption;
  made.append(frame, text);
  return made;
}

function words(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function come() {
  if (location.hash.length > 1) return follow(location.hash.slice(1));
  source?.close();
  at("pictures").replaceChildren();
  at("progress").hidden = at("stop").hidden = true;
  say("");
}

addEventListener("popstate", come);
come();
