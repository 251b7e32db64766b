"use strict";
// Makes a part of the page what it is now and keeps its nodes, so that what has the focus, is open, typed or selected stays.
const morphInPlace = (() => {
  const isSelected = (node) => {
    const selection = document.getSelection();
    return selection !== null && !selection.isCollapsed && selection.containsNode(node, true);
  };

  const isLike = (old, fresh) =>
    old.nodeName === fresh.nodeName && (old.dataset?.key ?? old.id) === (fresh.dataset?.key ?? fresh.id);

  const morphAttributes = (old, fresh) => {
    for (const name of new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()])) {
      const value = fresh.getAttribute(name);
      // What somebody has opened stays open.
      if (name === "open" || old.getAttribute(name) === value) continue;
      if (value === null) old.removeAttribute(name);
      else old.setAttribute(name, value);
    }
  };

  // Puts the children into this order around the one that has the focus, which it would lose if it were moved.
  const arrange = (parent, order) => {
    const held = Math.max(0, order.findIndex((node) => node.contains(document.activeElement)));
    if (order.length > 0 && !parent.contains(order[held])) parent.prepend(order[held]);
    for (let at = held; at > 0; at -= 1) {
      if (order[at].previousSibling !== order[at - 1]) parent.insertBefore(order[at - 1], order[at]);
    }
    for (let at = held + 1; at < order.length; at += 1) {
      if (order[at - 1].nextSibling !== order[at]) parent.insertBefore(order[at], order[at - 1].nextSibling);
    }
  };

  // Makes a node what it is now and keeps it, with all that is in it. A form that somebody has open stays as it is.
  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data && !isSelected(old)) old.data = fresh.data;
      return;
    }
    if (old.matches("details.act[open]") || old.isEqualNode(fresh)) return;
    morphAttributes(old, fresh);
    const left = new Set(old.childNodes);
    const order = [...fresh.childNodes].map((wanted) => {
      const found = [...left].find((node) => isLike(node, wanted));
      if (found === undefined) return document.importNode(wanted, true);
      left.delete(found);
      morph(found, wanted);
      return found;
    });
    for (const node of left) node.remove();
    arrange(old, order);
  };

  // A form that is open stays where it is on the screen, so that nobody presses what has just come there.
  return (section, fresh) => {
    const forms = [...section.querySelectorAll("details.act[open]")];
    const place = forms.find((form) => form.contains(document.activeElement)) ?? forms[0];
    const before = place?.getBoundingClientRect().top;
    morph(section, fresh);
    if (place !== undefined) scrollBy({ top: place.getBoundingClientRect().top - before, behavior: "instant" });
  };
})();
