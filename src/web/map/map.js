// The map and the list below it: both show what is in the part of the earth that is on the screen.
"use strict";

const byId = (id) => document.getElementById(id);
const german = document.documentElement.lang === "de";
const words = german
  ? { free: "frei", of: "von", pay: "Laden und zahlen:", none: "Hier ist kein Ladepunkt.", place: "Ort", places: "Orte", failed: "Die Ladepunkte konnten nicht geladen werden." }
  : { free: "free", of: "of", pay: "Charge and pay:", none: "There is no charging point here.", place: "place", places: "places", failed: "The charging points could not be loaded." };

const element = (name, text, attributes = {}) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

const host = byId("map");
const map = L.map(host, { worldCopyJump: true, maxZoom: 19 });
if (host.dataset.tiles) L.tileLayer(host.dataset.tiles, { attribution: host.dataset.attribution, maxZoom: 19 }).addTo(map);
map.attributionControl.setPrefix("Leaflet");
const marks = L.layerGroup().addTo(map);

const icon = (text, free, size) =>
  L.divIcon({ className: free ? "mark" : "mark none", html: String(text), iconSize: [size, size] });

// What there is to say of a place: for the list, and for the box on the map.
const said = (place) => {
  const all = element("div");
  all.append(element("strong", place.name), element("p", place.address));
  all.append(element("p", `${place.free} ${words.of} ${place.evses} ${words.free}`));
  for (const plug of place.plugs) all.append(element("p", plug));
  if (place.pay.length) {
    const line = element("p", `${words.pay} `);
    for (const [evse, address] of place.pay) line.append(element("a", evse, { href: address }), " ");
    all.append(line);
  }
  return all;
};

let asked = 0;
const show = async () => {
  const mine = ++asked;
  const area = map.getBounds();
  const clamp = (value, most) => Math.max(-most, Math.min(most, value));
  const wide = area.getEast() - area.getWest() >= 360;
  const turned = (degrees) => (wide ? clamp(degrees, 180) : ((((degrees + 180) % 360) + 360) % 360) - 180);
  const box = [turned(area.getWest()), clamp(area.getSouth(), 90), turned(area.getEast()), clamp(area.getNorth(), 90)];
  const query = new URLSearchParams({ bbox: box.map((degrees) => degrees.toFixed(5)).join(","), zoom: Math.min(map.getZoom(), 20), free: byId("free").checked, lang: document.documentElement.lang });
  let found;
  try {
    const response = await fetch(`/map/places?${query}`);
    if (!response.ok) throw new Error(response.status);
    found = await response.json();
  } catch {
    if (mine === asked) byId("state").textContent = words.failed;
    return;
  }
  if (mine !== asked) return;
  marks.clearLayers();
  byId("list").replaceChildren();
  byId("state").textContent = found.total ? `${found.total} ${found.total === 1 ? words.place : words.places}` : words.none;
  for (const cluster of found.clusters) {
    const title = `${cluster.places} ${words.places}, ${cluster.free} ${words.of} ${cluster.evses} ${words.free}`;
    const mark = L.marker(cluster.at, { icon: icon(cluster.places, cluster.free, 38), title, alt: title });
    const closer = () => {
      const [[south, west], [north, east]] = cluster.bounds;
      if (south === north && west === east) map.setView(cluster.at, Math.min(map.getZoom() + 3, 19));
      else map.fitBounds(cluster.bounds, { maxZoom: 19, padding: [30, 30] });
    };
    mark.on("click", closer).addTo(marks);
    const line = element("li");
    const button = element("button", title, { type: "button" });
    button.onclick = closer;
    line.append(button);
    byId("list").append(line);
  }
  for (const place of found.places) {
    L.marker(place.at, { icon: icon(place.free, place.free, 28), title: place.name, alt: place.name })
      .bindPopup(() => said(place))
      .addTo(marks);
    const line = element("li");
    line.append(said(place));
    byId("list").append(line);
  }
};

// Begins with all that there is.
const begin = async () => {
  let bounds;
  try {
    const all = await (await fetch("/map/places?bbox=-180,-85,180,85&zoom=2")).json();
    const corners = [...all.clusters.flatMap((cluster) => cluster.bounds), ...all.places.map((place) => place.at)];
    if (corners.length) bounds = L.latLngBounds(corners);
  } catch {
    byId("state").textContent = words.failed;
  }
  if (bounds) map.fitBounds(bounds, { maxZoom: 15, padding: [30, 30] });
  else map.setView([50, 10], 4);
  map.on("moveend", show);
  byId("free").addEventListener("change", show);
  show();
};
begin();
