// Settings files as git, npm and pip have them, read simply: sections, and lines of `key = value`. What git includes
// from elsewhere isn't followed.

export interface SettingLine {
  /** Lower case, without what stands behind it in quotes; '' ahead of the first. */
  readonly section: string;
  /** Lower case; `[]` behind it is gone. */
  readonly key: string;
  readonly value: string;
}

const HEADER = /^\[\s*([\w.-]+)[^\]]*\]/;
const QUOTED = /^"((?:\\.|[^"\\])*)"/;

export function settingsIn(text: string): SettingLine[] {
  const found: SettingLine[] = [];
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = HEADER.exec(line.trim());
    if (header !== null) section = header[1]!.toLowerCase();
    // git takes a setting on the line of its section.
    const rest = line.trim().slice(header?.[0].length ?? 0);
    const [, key, value = ''] = /^\s*([\w.-]+)(?:\[\])?\s*=\s*(.*)$/.exec(rest) ?? [];
    if (key !== undefined) found.push({ section, key: key.toLowerCase(), value: plain(value) });
  }
  return found;
}

function plain(value: string): string {
  const quoted = QUOTED.exec(value)?.[1];
  if (quoted === undefined) return value.replace(/(^|\s)[#;].*$/, '').trim();
  return quoted.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
