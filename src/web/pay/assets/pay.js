// The pay pages without this file: forms, and a page that reloads itself. With it: the payment provider's form, and
// live figures.
"use strict";

const byId = (id) => document.getElementById(id);

// ---- The payment provider's form ----
const form = byId("payment");
if (form) {
  const error = byId("payment-error");
  const button = form.querySelector("button");
  const { key, secret, account, back, locale, missing } = form.dataset;
  const say = (text) => {
    error.textContent = text;
    error.hidden = !text;
  };
  if (!window.Stripe) {
    say(missing);
  } else {
    const provider = window.Stripe(key, account ? { stripeAccount: account, locale } : { locale });
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const elements = provider.elements({ clientSecret: secret, appearance: { theme: dark ? "night" : "stripe" } });
    elements.create("payment").mount("#payment-element");
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const label = button.textContent;
      button.disabled = true;
      button.textContent = form.dataset.paying;
      say("");
      let found;
      try {
        found = await provider.confirmPayment({ elements, confirmParams: { return_url: back } });
      } catch (thrown) {
        found = { error: { message: missing } };
      }
      if (found && found.error) {
        say(found.error.message || missing);
        button.disabled = false;
        button.textContent = label;
        error.focus();
      }
    });
  }
}

// ---- Live figures ----
const live = byId("live");
if (live) {
  const lost = byId("lost");
  const reload = () => location.replace(location.href);
  let heard = Date.now();
  const show = (data) => {
    heard = Date.now();
    lost.hidden = true;
    if (data.state !== live.dataset.state) {
      const [now, before] = [data.state, live.dataset.state].map((state) => state.split(" ")[0]);
      // Whoever is typing a card keeps the form as long as it is of use; the provider's script says what was wrong.
      if (!form || now !== before) return reload();
      live.dataset.state = data.state;
    }
    for (const [name, text] of Object.entries(data.fields)) {
      const place = live.querySelector(`[data-field="${name}"]`);
      if (place && place.textContent !== text) place.textContent = text;
    }
  };
  if (window.EventSource) {
    const source = new EventSource(live.dataset.events);
    source.addEventListener("payment", (event) => show(JSON.parse(event.data)));
    source.addEventListener("open", () => {
      heard = Date.now();
      lost.hidden = true;
    });
    source.addEventListener("error", () => {
      lost.hidden = false;
    });
    // A phone that slept has an old page and often a dead connection.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && Date.now() - heard > 30000) reload();
    });
    setInterval(() => {
      if (!document.hidden && navigator.onLine !== false && Date.now() - heard > 45000) reload();
    }, 15000);
  } else {
    setTimeout(reload, 10000);
  }
}
