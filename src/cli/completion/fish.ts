// Completions for fish.

import type { CommandWords, OptionWords, Values } from './words.js';

export function fishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, describe, options, values }) => {
    const own = `complete -c nws -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c nws -n __fish_use_subcommand -a ${name} -d ${quoted(describe)}`,
      ...options.map((option) => `${own} ${spec(option)}`),
      ...(values === 'none' ? [] : [`${own} ${argument(values)}`]),
    ];
  });
  return `# fish completion for nws; nws completion --help says where to put it
complete -c nws -f
complete -c nws -n __fish_use_subcommand -l version -d 'Show the version'
complete -c nws -n 'contains -- -- (commandline -opc)' -a '(__fish_complete_subcommand --fcs-skip=3)'
${lines.join('\n')}
`;
}

function spec({ flag, describe, takesValue, values }: OptionWords): string {
  const name = `-l ${flag.slice(2)} -d ${quoted(describe)}`;
  return takesValue ? `${name} ${values === 'none' ? '-x' : argument(values)}` : name;
}

function argument(values: Values): string {
  if (values === 'file') return '-r -F';
  if (values === 'folder') return "-x -a '(__fish_complete_directories)'";
  if (values === 'host') return `-x -a "(nws alias list 2>/dev/null | string replace -r ' .*' '')"`;
  return values === 'none' ? '' : `-x -a ${quoted(values.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
