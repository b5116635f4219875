/** The parts of plotly.js that are loaded one by one; their own types are of no use here. */
declare module "plotly.js/lib/*" {
  const part: unknown;
  export default part;
}
declare module "plotly.js/src/traces/*" {
  const part: unknown;
  export default part;
}
