/** JSON as a tree that opens level by level; what is closed is not on the page. */
import { useState } from "react";
import { useWords } from "../i18n";

/** Members shown at first, and how many more come with each click. */
const SHOWN = 100;
const TEXT_CHARACTERS = 5_000;

export function JsonOutput({ value }: { value: unknown }) {
  return (
    <div className="output-json">
      <Member name={null} value={value} open />
    </div>
  );
}

interface MemberProps {
  name: string | null;
  value: unknown;
  open?: boolean;
}

function Member({ name, value, open = false }: MemberProps) {
  const label = name === null ? null : <span className="output-json-name">{name}: </span>;
  const members = membersOf(value);
  if (members !== null && members.length > 0) {
    return <Branch label={label} value={value} members={members} initiallyOpen={open} />;
  }
  return (
    <div className="output-json-leaf">
      {label}
      <span className={`output-json-${kindOf(value)}`}>{literal(value)}</span>
    </div>
  );
}

type Members = readonly (readonly [string, unknown])[];

interface BranchProps {
  label: React.ReactNode;
  value: unknown;
  members: Members;
  initiallyOpen: boolean;
}

function Branch({ label, value, members, initiallyOpen }: BranchProps) {
  const words = useWords().outputs;
  const [open, setOpen] = useState(initiallyOpen);
  const [shown, setShown] = useState(SHOWN);
  const left = members.length - shown;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="output-json-size">
          {Array.isArray(value) ? "[…]" : "{…}"} {words.items(members.length)}
        </span>
      </summary>
      {open && (
        <div className="output-json-members">
          {members.slice(0, shown).map(([name, member]) => (
            <Member key={name} name={name} value={member} />
          ))}
          {left > 0 && (
            <button
              type="button"
              className="output-button"
              onClick={() => setShown((count) => count + SHOWN)}
            >
              {words.moreItems(left)}
            </button>
          )}
        </div>
      )}
    </details>
  );
}

function membersOf(value: unknown): Members | null {
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}

function kindOf(value: unknown): "string" | "number" | "other" {
  if (typeof value === "string") return "string";
  return typeof value === "number" ? "number" : "other";
}

function literal(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length > TEXT_CHARACTERS ? `${text.slice(0, TEXT_CHARACTERS)}…` : text;
}
