/** What is in a file, without opening it: size, columns, the first rows, how it begins. */
import { Download } from "lucide-react";
import { useWords } from "../../i18n";
import { fileSize } from "../../i18n/format";
import { fileUrl } from "../../lib/api";
import { firstThatSpeaks } from "../../lib/instructions";
import { useProfile } from "../../lib/looks";
import type { FileEntry, Profile, ProfileColumn } from "../../protocol/generated";
import { Banner } from "../../ui/Banner";
import { Dialog } from "../../ui/Dialog";
import { InstructionMark } from "../../ui/InstructionMark";
import { Spinner } from "../../ui/Spinner";

interface Props {
  file: FileEntry;
  conversationId: string;
  open: boolean;
  onClose: () => void;
}

export default function FilePreview({ file, conversationId, open, onClose }: Props) {
  const words = useWords();
  return (
    <Dialog wide open={open} onClose={onClose} title={file.path}>
      <Contents path={file.path} conversationId={conversationId} />
      <a
        href={fileUrl(conversationId, file.path)}
        download={file.path.split("/").at(-1)}
        className="touch inline-flex h-9 items-center gap-1.5 self-start rounded-md border border-line-strong px-3.5 text-sm font-medium hover:bg-hover"
      >
        <Download size={15} aria-hidden />
        {words.common.download}
      </a>
    </Dialog>
  );
}

function Contents({ path, conversationId }: { path: string; conversationId: string }) {
  const words = useWords();
  const { data, error } = useProfile(conversationId, path);
  if (error) return <Banner bad title={words.preview.failed} detail={error.message} />;
  if (data === undefined) return <Spinner />;
  const found = firstThatSpeaks(profileTexts(data));
  return (
    <>
      {found !== null && <InstructionMark found={found} />}
      {data.broken !== undefined && (
        <Banner bad title={words.preview.broken} detail={data.broken} />
      )}
      <Facts profile={data} />
      {data.columns.length > 0 && <Columns columns={data.columns} />}
      {data.sample.length > 0 && <Rows profile={data} />}
      {data.around.length > 0 && <Lines title={words.preview.around} lines={data.around} />}
      {data.parts.length > 0 && (
        <Lines title={words.preview.parts} lines={data.parts.map((part) => partLine(part))} />
      )}
      {data.text && (
        <Section title={words.preview.begins}>
          <pre className="scroller max-h-60 rounded-md bg-sunken p-3 font-mono text-xs leading-5 break-words whitespace-pre-wrap">
            {data.text}
          </pre>
        </Section>
      )}
      {data.notes.length > 0 && <Lines title={words.preview.notes} lines={data.notes} />}
    </>
  );
}

/** All that a profile says in words of the file; a row at once, for a sentence may span cells. */
function* profileTexts(profile: Profile): Generator<string> {
  yield profile.columns.map((column) => column.name).join("\n");
  for (const row of profile.sample) yield row.join("\n");
  for (const part of profile.parts) yield [part.name, ...part.columns].join("\n");
  yield [...profile.around, ...profile.notes, ...Object.values(profile.facts)].join("\n");
  yield profile.text ?? "";
}

function Facts({ profile }: { profile: Profile }) {
  const { preview, time } = useWords();
  const { rows, width, facts } = profile;
  const kinds: Record<string, string> = preview.kinds;
  const names: Record<string, string> = preview.facts;
  const told = [
    kinds[profile.kind] ?? profile.kind,
    fileSize(profile.size, time.locale),
    rows !== undefined && preview.rows(rows, profile.rows_estimated),
    width !== undefined && preview.columnCount(width),
    ...Object.entries(facts).map(([name, value]) => `${names[name] ?? name}: ${value}`),
    profile.sampled && preview.sampled,
  ];
  return <p className="text-sm text-muted">{told.filter(Boolean).join(" · ")}</p>;
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section className="flex min-w-0 flex-col gap-1.5">
      <h3 className="text-[13px] font-semibold">{title}</h3>
      {children}
    </section>
  );
}

function Columns({ columns }: { columns: ProfileColumn[] }) {
  const { preview } = useWords();
  const types: Record<string, string> = preview.types;
  return (
    <Section title={preview.columns}>
      <Scroller label={preview.columns}>
        <thead>
          <tr>
            <th scope="col">{preview.name}</th>
            <th scope="col">{preview.type}</th>
            <th scope="col">{preview.missing}</th>
            <th scope="col">{preview.range}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column, index) => (
            // oxlint-disable-next-line react/no-array-index-key
            <tr key={index}>
              <td>{column.name}</td>
              <td>{types[column.type] ?? column.type}</td>
              <td>{column.missing ?? ""}</td>
              <td>{column.min !== undefined && `${column.min} – ${column.max}`}</td>
            </tr>
          ))}
        </tbody>
      </Scroller>
    </Section>
  );
}

function Rows({ profile }: { profile: Profile }) {
  const { preview } = useWords();
  return (
    <Section title={preview.firstRows}>
      <Scroller label={preview.firstRows}>
        <thead>
          <tr>
            {profile.columns.slice(0, profile.sample[0]?.length).map((column, index) => (
              // oxlint-disable-next-line react/no-array-index-key
              <th key={index} scope="col">
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {profile.sample.map((row, at) => (
            // oxlint-disable-next-line react/no-array-index-key
            <tr key={at}>
              {row.map((cell, index) => (
                // oxlint-disable-next-line react/no-array-index-key
                <td key={index}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </Scroller>
    </Section>
  );
}

function Scroller({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div
      role="region"
      aria-label={label}
      // biome-ignore lint: a scroller without focusable content must be reachable by keyboard
      tabIndex={0}
      className="scroller max-h-64 rounded-md border border-line"
    >
      <table className="w-full text-[13px] tabular-nums [&_td]:max-w-64 [&_td]:truncate [&_td]:border-t [&_td]:border-line [&_td]:px-2.5 [&_td]:py-1 [&_th]:sticky [&_th]:top-0 [&_th]:bg-sunken [&_th]:px-2.5 [&_th]:py-1.5 [&_th]:text-start [&_th]:font-semibold [&_th]:whitespace-nowrap">
        {children}
      </table>
    </div>
  );
}

function Lines({ title, lines }: { title: string; lines: string[] }) {
  return (
    <Section title={title}>
      <ul className="text-[13px] text-muted">
        {lines.map((line, index) => (
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index} className="break-words">
            {line}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function partLine({ name, rows, width, columns }: Profile["parts"][number]): string {
  const size = rows !== undefined && width !== undefined ? `${rows} × ${width}` : rows;
  return [name, size, columns.join(", ")]
    .filter((one) => one !== undefined && one !== "")
    .join(" · ");
}
