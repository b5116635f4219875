/** Short messages at the top that go away by themselves, with at most one thing to do. */
import { X } from "lucide-react";
import { useEffect } from "react";
import { create } from "zustand";
import { useWords, type Words } from "../i18n";
import { IconButton } from "./IconButton";

interface ToastItem {
  id: number;
  text: string | ((words: Words) => string);
  hint?: string | undefined;
  bad?: boolean;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 6_000;
const MOST = 3;
let counter = 0;

const useToasts = create<{ items: ToastItem[] }>(() => ({ items: [] }));

export function toast(item: Omit<ToastItem, "id">): void {
  useToasts.setState(({ items }) => ({
    items: [...items, { ...item, id: ++counter }].slice(-MOST),
  }));
}

function dismiss(id: number): void {
  useToasts.setState(({ items }) => ({ items: items.filter((item) => item.id !== id) }));
}

export function Toasts() {
  const { items } = useToasts();
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-4 top-16 z-50 flex flex-col items-center gap-2"
    >
      {items.map((item) => (
        <ToastRow key={item.id} item={item} />
      ))}
    </div>
  );
}

function ToastRow({ item }: { item: ToastItem }) {
  const words = useWords();
  useEffect(() => {
    const timer = setTimeout(() => dismiss(item.id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [item.id]);
  return (
    <div
      className={`appear pointer-events-auto flex max-w-lg items-center gap-2 rounded-md border px-3 py-2 text-sm shadow-m ${item.bad ? "border-danger/40 bg-danger-soft" : "border-line bg-raised"}`}
    >
      <div className="min-w-0 flex-1 [overflow-wrap:anywhere]">
        {typeof item.text === "string" ? item.text : item.text(words)}
        {item.hint !== undefined && <span className="block text-muted">{item.hint}</span>}
      </div>
      {item.action && (
        <button
          type="button"
          className="touch shrink-0 rounded-sm px-2 py-1 font-medium text-accent hover:bg-hover"
          onClick={() => {
            item.action?.run();
            dismiss(item.id);
          }}
        >
          {item.action.label}
        </button>
      )}
      <IconButton small label={words.common.dismiss} onClick={() => dismiss(item.id)}>
        <X size={16} aria-hidden />
      </IconButton>
    </div>
  );
}
