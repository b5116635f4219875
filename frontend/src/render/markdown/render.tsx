/** Syntax nodes to React elements. Nothing here is HTML of the message: tags in it stay text. */
import type { AlignType, Nodes, PhrasingContent, Table, TableRow } from "mdast";
import { createElement, Fragment, type ReactNode } from "react";
import { CodeBlock } from "../highlight/CodeBlock";
import { FormulaSource, FormulaView } from "./Formula";
import { FootnoteCall, ImageView, LinkView, TableFrame, TaskBox } from "./parts";

/** What surrounds a node and changes how it is drawn. */
export interface Surroundings {
  /** The footnotes that were called, by identifier, in order from 1. */
  readonly notes: ReadonlyMap<string, number>;
  /** The block still grows. */
  readonly growing: boolean;
  /** It ends inside a formula. */
  readonly formulaOpen: boolean;
}

export function draw(nodes: readonly Nodes[], around: Surroundings): ReactNode[] {
  return nodes.map((node, index) => (
    // Nodes have no name but their place; earlier places do not change while text is added.
    // oxlint-disable-next-line react/no-array-index-key
    <Fragment key={index}>{drawNode(node, around)}</Fragment>
  ));
}

function drawNode(node: Nodes, around: Surroundings): ReactNode {
  switch (node.type) {
    case "root":
      return draw(node.children, around);
    case "paragraph":
      return <p>{draw(node.children, around)}</p>;
    case "heading":
      // The page has its own first heading.
      return createElement(
        `h${Math.min(node.depth + 1, 6)}`,
        { className: `md-h${node.depth}` },
        draw(node.children, around),
      );
    case "blockquote":
      return <blockquote>{draw(node.children, around)}</blockquote>;
    case "list":
      return drawList(node, around);
    case "listItem":
      return drawItem(node, false, around);
    case "code":
      return (
        <div className="md-code">
          <CodeBlock code={node.value} language={node.lang} streaming={around.growing} labelled />
        </div>
      );
    case "thematicBreak":
      return <hr />;
    case "table":
      return drawTable(node, around);
    case "formula":
      if (around.formulaOpen && node.display) return <FormulaSource value={node.value} display />;
      return <FormulaView value={node.value} display={node.display} />;
    case "html":
      return /^<br\s*\/?>$/i.test(node.value) ? (
        <br />
      ) : (
        <span className="md-html">{node.value}</span>
      );
    default:
      return drawInline(node, around);
  }
}

function drawInline(node: Nodes, around: Surroundings): ReactNode {
  switch (node.type) {
    case "text":
      return node.value;
    case "strong":
      return <strong>{draw(node.children, around)}</strong>;
    case "emphasis":
      return <em>{draw(node.children, around)}</em>;
    case "delete":
      return <del>{draw(node.children, around)}</del>;
    case "inlineCode":
      return <code>{node.value}</code>;
    case "break":
      return <br />;
    case "link":
      return (
        <LinkView url={node.url} title={node.title} text={plainText(node.children)}>
          {draw(node.children, around)}
        </LinkView>
      );
    case "image":
      return <ImageView url={node.url} alt={node.alt ?? ""} />;
    case "footnoteReference":
      return <FootnoteCall number={around.notes.get(node.identifier) ?? 0} />;
    default:
      // Definitions draw nothing where they stand; references were resolved before.
      return null;
  }
}

function drawList(node: Extract<Nodes, { type: "list" }>, around: Surroundings): ReactNode {
  const loose = node.spread === true || node.children.some((item) => item.spread === true);
  const items = node.children.map((item, index) => (
    // oxlint-disable-next-line react/no-array-index-key
    <Fragment key={index}>{drawItem(item, loose, around)}</Fragment>
  ));
  if (node.ordered !== true) return <ul>{items}</ul>;
  return <ol {...(node.start !== 1 && { start: node.start ?? 1 })}>{items}</ol>;
}

function drawItem(
  node: Extract<Nodes, { type: "listItem" }>,
  loose: boolean,
  around: Surroundings,
): ReactNode {
  const task = typeof node.checked === "boolean";
  return (
    <li className={task ? "md-task" : undefined}>
      {task && <TaskBox done={node.checked === true} />}
      {node.children.map((child, index) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Fragment key={index}>
          {child.type === "paragraph" && !loose
            ? draw(child.children, around)
            : drawNode(child, around)}
        </Fragment>
      ))}
    </li>
  );
}

function drawTable(node: Table, around: Surroundings): ReactNode {
  const [head, ...body] = node.children;
  const align = node.align ?? [];
  return (
    <TableFrame>
      <table>
        {head && <thead>{drawRow(head, "th", align, around)}</thead>}
        <tbody>
          {body.map((row, index) => (
            // oxlint-disable-next-line react/no-array-index-key
            <Fragment key={index}>{drawRow(row, "td", align, around)}</Fragment>
          ))}
        </tbody>
      </table>
    </TableFrame>
  );
}

function drawRow(
  row: TableRow,
  tag: "th" | "td",
  align: readonly AlignType[],
  around: Surroundings,
): ReactNode {
  // Cells beyond the head belong to no column.
  const cells = row.children.slice(0, align.length);
  return (
    <tr>
      {cells.map((cell, index) =>
        createElement(
          tag,
          {
            // oxlint-disable-next-line react/no-array-index-key
            key: index,
            className: align[index] ? `md-${align[index]}` : undefined,
            ...(tag === "th" && { scope: "col" }),
          },
          draw(cell.children, around),
        ),
      )}
    </tr>
  );
}

/** What the nodes say without their markup. */
function plainText(nodes: readonly PhrasingContent[]): string {
  return nodes
    .map((node) => {
      if ("value" in node) return node.value;
      return "children" in node ? plainText(node.children) : "";
    })
    .join("");
}
