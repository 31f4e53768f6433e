// Completions for bash, from 3.2 on (what macOS has); nothing of bash-completion is needed.

import type { CommandWords, Values } from './words.js';

export function bashScript(commands: readonly CommandWords[]): string {
  const flags = commands.map(({ name, options }) => {
    return `    ${name}) COMPREPLY=($(compgen -W '${options.map(({ flag }) => flag).join(' ')}' -- "$cur")) ;;`;
  });
  const operands = commands
    .filter(({ values }) => values !== 'none')
    .map(({ name, values }) => `    ${name}) ${complete(values)} ;;`);
  const valued = new Map(
    commands.flatMap(({ options }) =>
      options.filter((option) => option.takesValue).map(({ flag, values }) => [flag, values]),
    ),
  );
  const values = [...valued].map(([flag, kind]) => `    ${flag}) ${complete(kind)}; return ;;`);
  return `# bash completion for nws; nws completion --help says where to put it
_nws_hosts() {
  nws alias list 2>/dev/null | cut -d ' ' -f 1
}
_nws() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= i
  COMPREPLY=()
  # bash makes words of their own of the = in --flag=value
  [[ $cur == = ]] && cur=
  [[ $prev == = && COMP_CWORD -ge 2 ]] && prev=\${COMP_WORDS[COMP_CWORD-2]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --)
      # what follows is a command of its own
      if ((i == COMP_CWORD - 1)); then
        COMPREPLY=($(compgen -c -- "$cur"))
      else
        COMPREPLY=($(compgen -f -- "$cur"))
      fi
      return ;;
    -*) ;;
    *) [[ -z $command ]] && command=\${COMP_WORDS[i]} ;;
    esac
  done
  case $prev in
${values.join('\n')}
  esac
  if [[ -z $command ]]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$cur"))
    return
  fi
  if [[ $cur == -* ]]; then
    case $command in
${flags.join('\n')}
    esac
    return
  fi
  case $command in
${operands.join('\n')}
  esac
}
complete -F _nws nws
`;
}

function complete(values: Values): string {
  if (values === 'file')
    return 'COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null';
  if (values === 'folder')
    return 'COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames 2>/dev/null';
  if (values === 'host') return 'COMPREPLY=($(compgen -W "$(_nws_hosts)" -- "$cur"))';
  if (values === 'none') return ':';
  return `COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$cur"))`;
}
