/** A server that nobody should talk to, and a document that tries to in every way we know. */

import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Ways in which a document reaches out; the path asked for names the way. */
export const CHANNELS = [
  "img",
  "css-import",
  "css-background",
  "prefetch",
  "stylesheet",
  "iframe",
  "object",
  "video",
  "svg-image",
  "form",
  "fetch",
  "beacon",
  "ws",
  "worker",
  "eventsource",
  "script",
  "popup",
  "top",
  "self",
  "refresh",
] as const;

export interface Canary {
  readonly url: string;
  /** Paths that were asked for over HTTP, upgrades included. */
  readonly hits: string[];
  /** Packets that came over UDP. */
  readonly packets: () => number;
  /** The address a WebRTC connection is sent to. */
  readonly stun: string;
  readonly close: () => Promise<void>;
}

export async function startCanary(pages: Record<string, string> = {}): Promise<Canary> {
  const hits: string[] = [];
  let packets = 0;
  const http = createServer((request, response) => {
    const path = request.url ?? "";
    const page = pages[path];
    if (page === undefined) hits.push(path);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Content-Type", page === undefined ? "text/plain" : "text/html");
    response.end(page?.replaceAll("CANARY", address()).replaceAll("STUN", stun()) ?? "");
  });
  http.on("upgrade", (request, socket) => {
    hits.push(request.url ?? "");
    socket.destroy();
  });
  const udp = createSocket("udp4");
  udp.on("message", () => {
    packets += 1;
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const address = () => `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const stun = () => `127.0.0.1:${udp.address().port}`;
  return {
    url: address(),
    hits,
    packets: () => packets,
    stun: stun(),
    close: async () => {
      http.closeAllConnections();
      await Promise.all([
        new Promise((resolve) => http.close(resolve)),
        new Promise<void>((resolve) => udp.close(resolve)),
      ]);
    },
  };
}

/** What needs no script. `to` is a host with a folder that says who shows it. */
export function passive(to: string): string {
  return `
<style>@import "${to}/css-import"; .a { background: url("${to}/css-background") }
@font-face { font-family: f; src: url("${to}/font") } .b { font-family: f; cursor: url("${to}/cursor"), auto }</style>
<link rel="prefetch" href="${to}/prefetch"><link rel="preload" as="image" href="${to}/preload">
<link rel="stylesheet" href="${to}/stylesheet"><link rel="preconnect" href="${to}">
<meta http-equiv="refresh" content="3;url=${to}/refresh">
<p class="a b" style="background-image: url(${to}/style)">text</p>
<img src="${to}/img" srcset="${to}/srcset 2x"><picture><source srcset="${to}/source"><img src="x"></picture>
<input type="image" src="${to}/input"><table background="${to}/table"><tr><td>cell</td></tr></table>
<video src="${to}/video" poster="${to}/poster" autoplay muted></video><audio src="${to}/audio" autoplay></audio>
<svg width="9" height="9"><image href="${to}/svg-image" width="9" height="9"/><use href="${to}/use#a"/></svg>
<base href="${to}/base/"><img src="relative">
<a href="javascript:fetch('${to}/link')">script link</a> <a href="data:text/html,%3Cscript%3E1">data link</a>
<a href="${to}/anchor" ping="${to}/ping">plain link</a>`;
}

/** Everything, scripts included. It leaves \`attacked\` in its window when it has tried all. */
export function active(to: string, stun: string): string {
  return `${passive(to)}
<iframe src="${to}/iframe"></iframe><object data="${to}/object"></object><embed src="${to}/embed">
<script src="${to}/script"></script>
<iframe srcdoc="<img src='${to}/srcdoc'><script>fetch('${to}/srcdoc-fetch')</script>"></iframe>
<form id="form" action="${to}/form" method="post" target="_blank"><input name="a" value="1"></form>
<script>
const tries = [
  () => fetch("${to}/fetch", { mode: "no-cors" }),
  () => navigator.sendBeacon("${to}/beacon", "x"),
  () => new WebSocket("${to}/ws".replace("http", "ws")),
  () => new Worker("${to}/worker"),
  () => new Worker(URL.createObjectURL(new Blob(["fetch('${to}/blob-worker')"]))),
  () => new EventSource("${to}/eventsource"),
  () => { const image = new Image(); image.src = "${to}/new-image"; },
  () => import("${to}/import"),
  () => open("${to}/popup"),
  () => document.getElementById("form").submit(),
  () => parent.document.body.append("reached"),
  () => parent.fetch("${to}/parent"),
  () => localStorage.setItem("reached", "1"),
  () => { document.cookie = "reached=1"; },
  () => parent.postMessage({ frameHeight: 1e9 }, "*"),
  () => {
    const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:${stun}" }] });
    peer.createDataChannel("x");
    peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  },
];
for (const one of tries) {
  try { Promise.resolve(one()).catch(() => {}); } catch {}
}
window.attacked = true;
setTimeout(() => { try { location = "${to}/self"; } catch {} }, 2000);
setTimeout(() => { try { top.location = "${to}/top"; } catch {} }, 2300);
</script>`;
}
