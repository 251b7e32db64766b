"use strict";
// The page works without this. With it, sections follow what happens elsewhere, around what somebody works in: a form keeps the
// epoch that they have seen, and what has the focus or is selected stays.
(() => {
  const body = document.body;
  const connection = document.getElementById("connection");
  const firstEpoch = body.dataset.epoch;

  // The time of the server, which alone its times can be compared with.
  let served = { now: Number(body.dataset.now), at: performance.now() };
  const agoText = (at) => {
    const now = served.now + performance.now() - served.at;
    const seconds = Math.max(0, Math.floor((now - at) / 1000));
    if (seconds < 1) return "just now";
    const units = [["d", 86400, Infinity], ["h", 3600, 24], ["min", 60, 60], ["s", 1, 60]];
    const counts = units.map(([name, unit, most]) => [Math.floor(seconds / unit) % most || 0, name]);
    const first = counts.findIndex(([count]) => count > 0);
    const shown = counts.slice(first, first + 2).filter(([count]) => count > 0);
    return shown.map(([count, name]) => `${count} ${name}`).join(" ") + " ago";
  };

  const showTimes = (within) => {
    for (const time of within.querySelectorAll("time[datetime]")) {
      const text = agoText(Date.parse(time.dateTime));
      if (time.textContent !== text) time.textContent = text;
    }
  };

  const hasChangedField = (section) =>
    [...section.querySelectorAll("input, select")].some((field) =>
      field.type !== "hidden" && field.name !== "reason" && "defaultValue" in field && field.value !== field.defaultValue);

  const isBusy = (section) => {
    const selection = document.getSelection();
    return section.contains(document.activeElement)
      || section.querySelector("details.act[open]") !== null
      || hasChangedField(section)
      || (selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode));
  };

  // The epoch by which a section was made, where it is not that of the page.
  const epochs = new WeakMap();
  const epochOf = (section) => epochs.get(section) ?? firstEpoch;

  const replace = (section, fresh, epoch) => {
    const open = [...section.querySelectorAll("details[id][open]")].map((details) => details.id);
    const node = document.importNode(fresh, true);
    epochs.set(node, epoch);
    // A reason that was typed belongs to whatever is decided next.
    const reasons = [...section.querySelectorAll("input[name=reason]")];
    node.querySelectorAll("input[name=reason]").forEach((field, at) => {
      field.value = reasons[at]?.value ?? field.value;
    });
    section.replaceWith(node);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  };

  const sayMeanwhile = (section, fresh, page) => {
    const seen = epochOf(section);
    if (page.dataset.epoch === seen) return;
    section.querySelector(":scope > .meanwhile")?.remove();
    const by = page.dataset.by ? ` by ${page.dataset.by}` : "";
    const note = document.createElement("p");
    note.className = "meanwhile";
    note.setAttribute("role", "status");
    const show = document.createElement("button");
    show.type = "button";
    show.textContent = "Show";
    show.addEventListener("click", () => replace(section, fresh, page.dataset.epoch));
    note.append(`Changed meanwhile: epoch ${seen} → ${page.dataset.epoch}${by}. What is open here would be refused, except a rollback or an abort.`, show);
    section.prepend(note);
  };

  let waiting = false;
  const showFresh = (text) => {
    waiting = false;
    const page = new DOMParser().parseFromString(text, "text/html");
    served = { now: Number(page.body.dataset.now), at: performance.now() };
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const section = document.querySelector(`[data-live="${fresh.dataset.live}"]`);
      if (section === null) continue;
      showTimes(section);
      showTimes(fresh);
      if (section.isEqualNode(fresh)) {
        epochs.set(section, page.body.dataset.epoch);
      } else if ("morph" in section.dataset) {
        morphInPlace(section, fresh);
      } else if (isBusy(section)) {
        waiting = true;
        sayMeanwhile(section, fresh, page.body);
      } else {
        replace(section, fresh, page.body.dataset.epoch);
      }
    }
    document.title = page.title;
    body.dataset.epoch = page.body.dataset.epoch;
  };

  // After a refusal the address is that of the command.
  const address = () => {
    const query = new URLSearchParams(location.pathname === body.dataset.page ? location.search : "");
    query.delete("done");
    query.delete("verify");
    return query.size > 0 ? `${body.dataset.page}?${query}` : body.dataset.page;
  };

  const say = (text) => {
    connection.hidden = text === "";
    connection.textContent = text;
  };

  // Signed out, a page is answered by that of the sign-in.
  const fetchPage = async () => {
    const answer = await fetch(address(), { headers: { accept: "text/html" }, signal: AbortSignal.timeout(15000) });
    const text = await answer.text();
    if (!answer.ok || answer.redirected || !text.includes("data-now=")) throw new Error("no page");
    return text;
  };

  let fetching = false;
  let again = false;
  const update = async () => {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    again = false;
    try {
      showFresh(await fetchPage());
      if (!lost) say("");
    } catch {
      if (!lost && events !== null) say("What you see may be old: load the page again, or sign in.");
    }
    fetching = false;
    if (again) update();
  };

  // Pages of records ask the store: they are asked for again only when the record has changed.
  const root = body.dataset.liveUrl.replace(/\/live$/, "");
  const isOfRecords = body.dataset.page.length > root.length + 1;
  let record = firstEpoch;
  const changed = (event) => {
    const { stamp } = JSON.parse(event.data);
    const seen = record.includes("-") ? stamp.slice(0, stamp.lastIndexOf("-")) : stamp.split("-")[0];
    const same = seen === record;
    record = stamp.slice(0, stamp.lastIndexOf("-"));
    if (!isOfRecords || !same) update();
  };

  // A browser has few connections to one host. Those of pages that nobody sees are left to commands.
  let events = null;
  let lost = false;
  const hush = () => {
    events?.close();
    events = null;
  };
  const listen = () => {
    hush();
    if (document.hidden || body.dataset.liveUrl === "") return;
    const stream = new EventSource(body.dataset.liveUrl);
    events = stream;
    stream.addEventListener("changed", changed);
    stream.addEventListener("open", () => {
      say("");
      if (lost) update();
      lost = false;
    });
    // The browser tries again by itself, except after an answer that is no stream.
    stream.addEventListener("error", () => {
      lost = true;
      say("The connection is lost: what you see may be old. It is being tried again.");
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => events === stream && listen(), 10000);
    });
  };

  listen();
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("submit", hush);
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => event.persisted && listen());
  const catchUp = () => setTimeout(() => waiting && update(), 300);
  document.addEventListener("focusout", catchUp);
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("details.act[open]")) event.target.scrollIntoView({ block: "nearest" });
    catchUp();
  }, true);
  setInterval(() => showTimes(document), 1000);
})();
