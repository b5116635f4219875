/** The package that a cell failed for want of, by the name under which it is installed. */
import type { CellPart } from "../../protocol/generated";

/** Modules whose packages have another name. */
const PACKAGES: Record<string, string> = {
  cv2: "opencv-python-headless",
  sklearn: "scikit-learn",
  skimage: "scikit-image",
  PIL: "pillow",
  yaml: "pyyaml",
  bs4: "beautifulsoup4",
  docx: "python-docx",
  pptx: "python-pptx",
  fitz: "pymupdf",
  dateutil: "python-dateutil",
  dotenv: "python-dotenv",
  Crypto: "pycryptodome",
  OpenSSL: "pyopenssl",
  serial: "pyserial",
  jose: "python-jose",
  umap: "umap-learn",
  imblearn: "imbalanced-learn",
  MySQLdb: "mysqlclient",
  psycopg2: "psycopg2-binary",
  mpl_toolkits: "matplotlib",
};

export function missingPackage(cell: CellPart): string | undefined {
  const last = cell.outputs.at(-1)?.output;
  if (last?.output_type !== "error" || last.ename !== "ModuleNotFoundError") return undefined;
  const module = /^No module named '([A-Za-z_]\w*)/.exec(last.evalue)?.[1];
  return module === undefined ? undefined : (PACKAGES[module] ?? module.replaceAll("_", "-"));
}

/** Whether there is something to offer for a cell. */
export function hasOffers(cell: CellPart): boolean {
  return (cell.refused_hosts?.length ?? 0) > 0 || missingPackage(cell) !== undefined;
}
