// Completions for zsh, by its _arguments.

import type { CommandWords, OptionWords, Values } from './words.js';

export function zshScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name, describe }) => `    ${quoted(`${name}:${describe}`)}`);
  const cases = commands.map(
    (command) => `  ${command.name})\n    _arguments \\\n${specs(command)} ;;`,
  );
  return `#compdef nws
# zsh completion for nws; nws completion --help says where to put it
_nws_hosts() {
  local -a hosts=(\${(f)"$(nws alias list 2>/dev/null | cut -d ' ' -f 1)"})
  compadd -a hosts
}
_nws() {
  local -a commands=(
${names.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  # what follows -- is a command of its own
  local -i at=\${words[(i)--]}
  if ((at < CURRENT)); then
    shift $at words
    ((CURRENT -= at))
    _normal
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _nws ]]; then _nws "$@"; else compdef _nws nws; fi
`;
}

function specs({ name, options, values }: CommandWords): string {
  const operand =
    values === 'none' ? [] : [`'*:${name === 'alias' ? 'action' : 'value'}:${action(values)}'`];
  return [...options.map(spec), ...operand].map((line) => `      ${line}`).join(' \\\n');
}

function spec({ flag, describe, takesValue, values }: OptionWords): string {
  const text = describe.replace(/[[\]\\:]/g, '\\$&');
  return quoted(takesValue ? `*${flag}=[${text}]:value:${action(values)}` : `${flag}[${text}]`);
}

function action(values: Values): string {
  if (values === 'file') return '_files';
  if (values === 'folder') return '_files -/';
  if (values === 'host') return '_nws_hosts';
  return values === 'none' ? ' ' : `(${values.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
