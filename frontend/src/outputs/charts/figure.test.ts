import { describe, expect, test } from "vitest";
import { readFigure, traceTypes } from "./figure";
import { darkLayout } from "./palette";
import { rowsOf, readSpec } from "./vegaSpec";
import { keepView, viewOf, withView } from "./views";

function layoutOf(layout: object) {
  const read = readFigure({ data: [], layout });
  return { layout: read?.figure.layout, blocked: read?.blocked };
}

describe("a Plotly figure", () => {
  test.each([null, 5, [], { data: {} }, { layout: {} }])("%j is none", (value) => {
    expect(readFigure(value)).toBe(null);
  });

  test.each([
    [
      { images: [{ source: "https://e.example/x.png", x: 1 }] },
      { images: [{ x: 1 }] },
      ["e.example"],
    ],
    [{ images: [{ source: "//e.example/x.png" }] }, { images: [{}] }, ["e.example"]],
    [{ images: [{ source: "/api/session" }] }, { images: [{}] }, ["/api/session"]],
    [
      { images: [{ source: "data:image/png;base64,AA" }] },
      { images: [{ source: "data:image/png;base64,AA" }] },
      [],
    ],
    [{ images: [{ source: "data:text/html,x" }] }, { images: [{}] }, ["data:text/html,x"]],
    [
      { updatemenus: [{ buttons: [{ args: [{ "images[0].source": "http://e.example" }] }] }] },
      { updatemenus: [{ buttons: [{ args: [{}] }] }] },
      ["e.example"],
    ],
    [{ font: { family: "url(http://e.example)" } }, { font: { family: "" } }, []],
    [{ map: { style: "https://e.example/style" } }, {}, ["e.example"]],
    [
      { __proto__x: 1, title: { text: "kept <b>as</b> it is, 1 < 2" } },
      { __proto__x: 1, title: { text: "kept <b>as</b> it is, 1 < 2" } },
      [],
    ],
  ])("loads nothing: %j", (given, expected, blocked) => {
    expect(layoutOf(given)).toEqual({ layout: expected, blocked });
  });

  test.each([
    [
      '<a href="https://e.example/a" target="_top" popup="x">t</a>',
      '<a href="https://e.example/a" target="_blank">t (e.example)</a>',
    ],
    ["<A HREF='javascript:alert(1)'>t</A>", "t"],
    ["<a href=https://e.example>t</a>", "t"],
    [
      '<a href="https://e.example/"><a href="https://f.example/">t</a></a>',
      '<a href="https://e.example/" target="_blank">t (e.example)</a>',
    ],
    ['<span style="background:url(https://e.example)">t</span>', "<span>t</span>"],
    ['<span style="fill:u\\72l(https://e.example)">t</span>', "<span>t</span>"],
    ['<span style="color:rgb(1,2,3)">t</span>', '<span style="color:rgb(1,2,3)">t</span>'],
  ])("shows where links lead: %s", (given, expected) => {
    expect(layoutOf({ title: given }).layout).toEqual({ title: expected });
  });

  test("of map tiles is drawn on outlines", () => {
    const read = readFigure({
      data: [{ type: "scattermapbox", lat: [1], lon: [2], subplot: "mapbox2" }],
      layout: { mapbox2: { style: "open-street-map", domain: { x: [0, 1] } } },
    });
    expect(read?.outlined).toBe(true);
    expect(read?.figure.data).toEqual([{ type: "scattergeo", lat: [1], lon: [2], geo: "geo2" }]);
    expect(read?.figure.layout).toEqual({
      geo2: { domain: { x: [0, 1] }, fitbounds: "locations", showcountries: true },
    });
  });

  test("of a continent is drawn as part of the world", () => {
    expect(
      layoutOf({ geo: { scope: "africa", resolution: 50 }, geo2: { scope: "usa" } }).layout,
    ).toEqual({
      geo: { lonaxis: { range: [-30, 60] }, lataxis: { range: [-40, 40] } },
      geo2: { scope: "usa" },
    });
  });

  test("is counted, lists of lists and typed arrays too", () => {
    const count = (trace: object) => readFigure({ data: [trace] })?.points;
    expect(count({ x: [1, 2, 3], y: [1] })).toBe(3);
    expect(
      count({
        z: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toBe(4);
    expect(count({ x: { dtype: "f8", bdata: "A".repeat(32) } })).toBe(3);
  });

  test("names what has to be loaded to draw it", () => {
    const read = readFigure({
      data: [{ y: [1] }, { type: "bar" }],
      frames: [{ data: [{ type: "pie" }] }],
    });
    expect(read && traceTypes(read.figure)).toEqual(["scatter", "bar", "pie"]);
  });
});

test("a dark page changes the default template and nothing that a figure chose", () => {
  const colours = { text: "T", line: "L", background: "B" };
  const themed = darkLayout(
    { title: "x", template: { layout: { paper_bgcolor: "white" } } },
    colours,
  );
  expect(themed).toMatchObject({
    title: "x",
    template: { layout: { paper_bgcolor: "B", font: { color: "T" } } },
  });
  for (const own of [
    { paper_bgcolor: "pink" },
    { template: { layout: { paper_bgcolor: "#111" } } },
  ]) {
    expect(darkLayout(own, colours)).toBe(own);
  }
});

test("a view is put into a layout by its paths, and only into the chart it was of", () => {
  const [one, other] = [{}, {}];
  keepView("c/0", one, { layout: { "xaxis.range[0]": 1, "xaxis.range[1]": 2 } });
  keepView("c/0", one, { visible: { 1: "legendonly" }, layout: { "scene.camera": { eye: 1 } } });
  expect(viewOf("c/0", one).visible).toEqual({ 1: "legendonly" });
  expect(viewOf("c/0", other).layout).toEqual({});
  const layout = { xaxis: { title: "x" } };
  expect(withView(layout, viewOf("c/0", one).layout)).toEqual({
    xaxis: { title: "x", range: [1, 2] },
    scene: { camera: { eye: 1 } },
  });
  expect(layout).toEqual({ xaxis: { title: "x" } });
  withView({}, { "__proto__.polluted": true, "constructor.prototype.polluted": true });
  expect({}).not.toHaveProperty("polluted");
});

test("a Vega specification reaches for no element of the page, its data stays as it is", () => {
  const values = [{ input: 1, element: "row" }];
  const spec = { data: { values }, params: [{ bind: { input: "text", element: "#composer" } }] };
  expect(readSpec(spec)).toEqual({ data: { values }, params: [{ bind: { input: "text" } }] });
  expect(readSpec([1])).toBe(null);
  expect(rowsOf({ datasets: { a: Array.from({ length: 5_000 }, () => 1) } })).toBe(5_000);
});
