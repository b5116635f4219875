/** A drop-down menu: Radix underneath, our look. */
import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { Kbd } from "./Kbd";

const ITEM =
  "relative flex min-h-9 w-full items-center gap-2.5 rounded-sm px-2.5 py-1.5 text-sm outline-none select-none data-[disabled]:opacity-45 data-[highlighted]:bg-hover pointer-coarse:min-h-11";

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
  className?: string;
  onOpenChange?: (open: boolean) => void;
}

export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
  className = "",
  onOpenChange,
}: MenuProps) {
  return (
    <DropdownMenu.Root {...(onOpenChange && { onOpenChange })} modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className={`appear z-40 max-h-[min(36rem,var(--radix-dropdown-menu-content-available-height))] max-w-[calc(100vw-1rem)] min-w-48 overflow-y-auto rounded-md border border-line bg-raised p-1.5 shadow-m ${className}`}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface ItemProps extends ComponentProps<typeof DropdownMenu.Item> {
  icon?: ReactNode;
  keys?: string;
  danger?: boolean;
}

export function MenuItem({ icon, keys, danger = false, children, ...rest }: ItemProps) {
  return (
    <DropdownMenu.Item className={`${ITEM} ${danger ? "text-danger" : ""}`} {...rest}>
      {icon !== undefined && <span className={danger ? "" : "text-muted"}>{icon}</span>}
      <span className="min-w-0 flex-1">{children}</span>
      {keys !== undefined && <Kbd keys={keys} />}
    </DropdownMenu.Item>
  );
}

interface ChoiceProps<T extends string> {
  value: T;
  onChange: (value: T) => void;
  children: ReactNode;
  label: string;
}

/** A group in which one is chosen. */
export function MenuChoice<T extends string>({ value, onChange, children, label }: ChoiceProps<T>) {
  return (
    <DropdownMenu.RadioGroup
      value={value}
      onValueChange={(next) => onChange(next as T)}
      aria-label={label}
    >
      {children}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuOption({ value, children }: { value: string; children: ReactNode }) {
  return (
    <DropdownMenu.RadioItem value={value} className={`${ITEM} pr-8`}>
      <span className="min-w-0 flex-1">{children}</span>
      <DropdownMenu.ItemIndicator className="absolute right-2.5 text-accent">
        <Check size={16} aria-hidden />
      </DropdownMenu.ItemIndicator>
    </DropdownMenu.RadioItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-faint">
      {children}
    </DropdownMenu.Label>
  );
}

export function MenuNote({ children }: { children: ReactNode }) {
  return (
    <DropdownMenu.Label className="max-w-72 px-2.5 py-1 text-[13px] text-muted">
      {children}
    </DropdownMenu.Label>
  );
}

export function MenuLine() {
  return <DropdownMenu.Separator className="-mx-1.5 my-1.5 h-px bg-line" />;
}
