// What our pages use of Stripe's script and localstripe's lacks: the Payment Element and confirmPayment, on its card
// element and its server.
(() => {
  const base = new URL(document.currentScript.src).origin;
  const theirs = window.Stripe || Stripe;

  const ask = async (path, data) => {
    const response = await fetch(`${base}/v1/${path}`, {
      method: "POST",
      body: new URLSearchParams(data),
    });
    const body = await response.json();
    if (!response.ok || body.error) throw body.error || { message: "the provider did not answer" };
    return body;
  };

  const asked = () =>
    new Promise((resolve) => {
      const box = document.createElement("div");
      for (const [label, answer] of [["Complete authentication", true], ["Fail authentication", false]]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = label;
        button.onclick = () => (box.remove(), resolve(answer));
        box.append(button);
      }
      document.body.append(box);
    });

  window.Stripe = (key, options) => {
    const stripe = theirs(key);
    const elements = ({ clientSecret }) => {
      const made = stripe.elements();
      return {
        clientSecret,
        create: (kind) => {
          if (kind !== "payment") throw new Error(`there is no element ${kind}`);
          const card = made.create("card");
          const mount = card.mount.bind(card);
          card.mount = (place) => {
            mount(place);
            for (const input of document.querySelectorAll(`${place} input`)) input.setAttribute("aria-label", input.placeholder);
          };
          return card;
        },
        card: () => made._cardElement.value.card,
      };
    };
    const confirmPayment = async ({ elements, confirmParams }) => {
      try {
        const intent = elements.clientSecret.split("_secret_")[0];
        const data = { type: "card" };
        for (const [name, value] of Object.entries(elements.card())) data[`card[${name}]`] = value;
        const method = await ask("payment_methods", data);
        await ask(`payment_intents/${intent}`, { payment_method: method.id });
        const confirmed = await ask(`payment_intents/${intent}/confirm`, {});
        if (confirmed.status === "requires_action") {
          const success = await asked();
          await ask(`payment_intents/${intent}/_authenticate`, { client_secret: elements.clientSecret, success });
          if (!success) return { error: { message: "We are unable to authenticate your payment method." } };
        }
        const back = new URL(confirmParams.return_url);
        back.searchParams.set("payment_intent", intent);
        location.href = back;
        return new Promise(() => {});
      } catch (error) {
        return { error };
      }
    };
    return { elements, confirmPayment, options };
  };
})();
