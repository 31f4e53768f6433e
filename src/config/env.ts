// Where a setting's text comes from: flag, environment variable, `.env`, in this order.
// Pure: the caller hands in what it read. What the texts mean is config.ts's matter.

import { posix, win32 } from 'node:path';
import { NwsError, toNwsError } from '../errors.js';

export interface Sources {
  /** Flags as yargs read them, by their dashed names. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Text of `.env` in the working directory. */
  readonly dotenv?: string | undefined;
  /** Working directory that relative paths start from. */
  readonly cwd: string;
  /** The user's home directory. */
  readonly userHome: string;
  readonly platform: NodeJS.Platform;
}

/** Text of a setting, and its name as the user wrote it, for errors. */
export interface Setting {
  readonly text: string;
  readonly origin: string;
}

/** Names of one setting. A setting without a flag or without a variable leaves that out. */
export interface SettingName {
  readonly flag?: string;
  readonly variable?: string;
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Whether fractions are refused, as they are unless said otherwise. */
  readonly whole?: boolean;
}

const SEPARATOR = /[;,]/;
/** With the single letters of Go's strconv.ParseBool, which is what reads PUBLIC there. */
const TRUE = new Set(['true', 't', '1', 'yes', 'on']);
const FALSE = new Set(['false', 'f', '0', 'no', 'off']);

/** A line of `.env` that sets something: `export` or not, a name, `=` or `:`, and the rest. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)\s*[=:](.*)$/;
/** A value in quotes, or several with separators between; what follows is a comment. */
const QUOTED = /^(["'`])(?:(?!\1).)*\1(?:\s*[;,]\s*(["'`])(?:(?!\2).)*\2)*/;

export class Settings {
  readonly #sources: Sources;
  readonly #dotenv: Readonly<Record<string, string | undefined>>;

  constructor(sources: Sources) {
    this.#sources = sources;
    this.#dotenv = parseDotenv(sources.dotenv ?? '');
  }

  /** @throws NwsError `bad_config` for a flag that is empty or given twice. */
  text({ flag, variable }: SettingName): Setting | undefined {
    const flagged = flag === undefined ? undefined : this.flag(flag);
    return flagged ?? (variable === undefined ? undefined : this.variable(variable));
  }

  /** The flag alone. @throws NwsError `bad_config` for one that is empty or given twice. */
  flag(flag: string): Setting | undefined {
    const value = this.#sources.flags[flag];
    if (value === undefined) return undefined;
    if (Array.isArray(value)) throw badSetting(`--${flag} is given more than once`, 'give it once');
    const text = String(value).trim();
    if (text === '') throw badSetting(`--${flag} is empty`, 'give it a value or leave it out');
    return { text, origin: `--${flag}` };
  }

  /** The variable alone. One that is exported empty counts as unset. */
  variable(variable: string): Setting | undefined {
    const exported = unquote(this.#sources.env[variable] ?? '');
    if (exported !== '') return { text: exported, origin: variable };
    const written = unquote(this.#dotenv[variable] ?? '');
    return written === '' ? undefined : { text: written, origin: `${variable} in .env` };
  }

  /** Every value of a repeated flag, else the parts of the variable, which `;` or `,` separate. */
  list({ flag, variable }: { flag: string; variable: string }): Setting[] {
    const value = this.#sources.flags[flag];
    if (value !== undefined) {
      const origin = `--${flag}`;
      const texts = (Array.isArray(value) ? value : [value]).map((item) => String(item).trim());
      if (texts.includes('')) throw badSetting(`${origin} is empty`, 'give it a value');
      return texts.map((text) => ({ text, origin }));
    }
    const setting = this.variable(variable);
    if (setting === undefined) return [];
    const { origin } = setting;
    // Each may have quotes of its own, and one pair around them all is gone already.
    const parts = setting.text.split(SEPARATOR).map((part) => part.replace(/["'`]/g, '').trim());
    const texts = parts.filter((text) => text !== '');
    if (texts.length === 0)
      throw badSetting(`${origin} names nothing`, 'give it a value or unset it');
    return texts.map((text) => ({ text, origin }));
  }

  /** @throws NwsError `bad_config` for text that is neither true nor false. */
  toggle(name: SettingName, unset = false): boolean {
    const setting = this.text(name);
    if (setting === undefined) return unset;
    const word = setting.text.toLowerCase();
    if (TRUE.has(word)) return true;
    if (FALSE.has(word)) return false;
    throw badSetting(`${setting.origin} is neither true nor false`, 'write true or false');
  }

  /** @throws NwsError `bad_config` that lists the choices. */
  choice<T extends string>(name: SettingName, choices: readonly T[]): T | undefined {
    const setting = this.text(name);
    if (setting === undefined) return undefined;
    const found = choices.find((choice) => choice === setting.text.toLowerCase());
    if (found !== undefined) return found;
    throw badSetting(`${setting.origin} can't be ${setting.text}`, `use ${oneOf(choices)}`);
  }

  /** A number within bounds. @throws NwsError `bad_config` that names them. */
  number(name: SettingName, { min, max, whole = true }: Bounds): number | undefined {
    const setting = this.text(name);
    if (setting === undefined) return undefined;
    const value = Number(setting.text);
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    const hint = `use a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
    throw badSetting(`${setting.origin} can't be ${setting.text}`, hint);
  }

  /** A path, made absolute; `~/` is the user's home, which a shell doesn't expand in `.env`. */
  path(name: SettingName): string | undefined {
    const setting = this.text(name);
    if (setting === undefined) return undefined;
    const { cwd, userHome, platform } = this.#sources;
    const { join, resolve } = platform === 'win32' ? win32 : posix;
    if (/^~[/\\]/.test(setting.text)) return join(userHome, setting.text.slice(2));
    return resolve(cwd, setting.text);
  }

  /** Folder for keys, certificates and pins where no setting names one: the platform's data folder. */
  get defaultHome(): string {
    const { env, userHome, platform } = this.#sources;
    if (platform === 'win32') {
      return win32.join(env.LOCALAPPDATA || win32.join(userHome, 'AppData', 'Local'), 'nws');
    }
    if (platform === 'darwin') return posix.join(userHome, 'Library', 'Application Support', 'nws');
    // The XDG base directory specification tells programs to ignore a relative path.
    const xdg = env.XDG_DATA_HOME ?? '';
    return posix.join(posix.isAbsolute(xdg) ? xdg : posix.join(userHome, '.local', 'share'), 'nws');
  }
}

/**
 * Variables of a `.env` as dotenv programs write them, one a line. Unlike node:util's parseEnv it keeps a `#`
 * within a value, as Go's godotenv does, and all of several quoted values.
 */
export function parseDotenv(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const [, name, rest = ''] = ASSIGNMENT.exec(line) ?? [];
    if (name !== undefined) variables[name] = dotenvValue(rest.trim());
  }
  return variables;
}

function dotenvValue(text: string): string {
  return QUOTED.exec(text)?.[0] ?? text.replace(/(^|\s)#.*$/, '').trim();
}

export function badSetting(message: string, hint: string, cause?: unknown): NwsError {
  return new NwsError('bad_config', message, { hint, cause });
}

/** The same failure as one of settings, with the flag or variable in front. */
export function named({ origin }: Setting, error: unknown): NwsError {
  const { message, hint } = toNwsError(error);
  return badSetting(`${origin}: ${message}`, hint ?? 'correct it or leave it out', error);
}

function oneOf(choices: readonly string[]): string {
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** Spaces and one pair of quotes around a value, which Docker's --env-file keeps, are not part of it. */
function unquote(text: string): string {
  const trimmed = text.trim();
  const quoted = /^(["'`])(.*)\1$/s.exec(trimmed);
  return quoted?.[2]?.trim() ?? trimmed;
}
