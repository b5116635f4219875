/** What the person can set for this browser: theme and language; and the list of shortcuts. */
import { HardDrive, Keyboard, Plug, Server, Settings } from "lucide-react";
import { useWords } from "../../i18n";
import { api, type Approve } from "../../lib/api";
import { settings, useSettings } from "../../lib/lists";
import { type Language, setLanguage, setTheme, type Theme, usePrefs } from "../../lib/prefs";
import { reportError } from "../../ui/report";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine, MenuOption } from "../../ui/Menu";

/** Languages by their own names, which are the same in every language. */
const LANGUAGES: Record<Language, string> = { en: "English", "zh-CN": "简体中文" };
const APPROVE: readonly Approve[] = ["never", "risky", "always"];
const THEMES: readonly Theme[] = ["system", "light", "dark"];

interface Props {
  onShortcuts: () => void;
  onModels: () => void;
  onTools: () => void;
  onStorage: () => void;
}

export function SettingsMenu({ onShortcuts, onModels, onTools, onStorage }: Props) {
  const words = useWords();
  const { theme, language } = usePrefs();
  return (
    <Menu
      align="start"
      side="top"
      className="w-56"
      trigger={
        <button
          type="button"
          className="flex h-9 w-full items-center gap-2.5 rounded-md px-2 text-sm transition-colors hover:bg-hover data-[state=open]:bg-hover pointer-coarse:h-11"
        >
          <Settings size={17} className="text-muted" aria-hidden />
          {words.sidebar.settings}
        </button>
      }
    >
      <MenuLabel>{words.settings.theme}</MenuLabel>
      <MenuChoice value={theme} onChange={setTheme} label={words.settings.theme}>
        {THEMES.map((one) => (
          <MenuOption key={one} value={one}>
            {words.settings[one]}
          </MenuOption>
        ))}
      </MenuChoice>
      <MenuLine />
      <MenuLabel>{words.settings.language}</MenuLabel>
      <MenuChoice value={language} onChange={setLanguage} label={words.settings.language}>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <MenuOption key={code} value={code}>
            <span lang={code}>{name}</span>
          </MenuOption>
        ))}
      </MenuChoice>
      <MenuLine />
      <ApproveChoice />
      <MenuLine />
      <MenuItem icon={<Server size={16} aria-hidden />} onSelect={onModels}>
        {words.providers.manage}
      </MenuItem>
      <MenuItem icon={<Plug size={16} aria-hidden />} onSelect={onTools}>
        {words.tools.manage}
      </MenuItem>
      <MenuItem icon={<HardDrive size={16} aria-hidden />} onSelect={onStorage}>
        {words.storage.manage}
      </MenuItem>
      <MenuItem icon={<Keyboard size={16} aria-hidden />} keys="Mod+/" onSelect={onShortcuts}>
        {words.settings.shortcuts}
      </MenuItem>
    </Menu>
  );
}

/** What is asked about before it runs: of the whole product, not of this browser. */
function ApproveChoice() {
  const words = useWords();
  const { data } = useSettings();
  const choose = (approve: Approve) =>
    void api.changeSettings({ approve }).then((fresh) => {
      settings.change("settings", () => fresh);
    }, reportError);
  return (
    <>
      <MenuLabel>{words.approval.setting}</MenuLabel>
      <MenuChoice value={data?.approve ?? "risky"} onChange={choose} label={words.approval.setting}>
        {APPROVE.map((one) => (
          <MenuOption key={one} value={one}>
            {words.approval[one]}
          </MenuOption>
        ))}
      </MenuChoice>
    </>
  );
}
