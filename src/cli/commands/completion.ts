// `nws completion`: a script that tells a shell what nws takes. It is made once: completing starts no nws, but for
// the names of the alias book.

import { basename } from 'node:path';
import { badSetting } from '../../config/env.js';
import type { Command, CommandBody } from '../command.js';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { wordsOf } from '../completion/words.js';
import { zshScript } from '../completion/zsh.js';
import { examples } from '../help.js';
import type { Io } from '../io.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export const completionCommand = (io: Io, commands: readonly Command[]): CommandBody => ({
  builder: (yargs) =>
    yargs.epilogue(
      examples(
        ['for this shell, until it ends', 'source <(nws completion)'],
        [
          'for bash, from now on',
          'nws completion bash > ~/.local/share/bash-completion/completions/nws',
        ],
        ['for zsh, where ~/.zfunc is in fpath', 'nws completion zsh > ~/.zfunc/_nws'],
        ['for fish', 'nws completion fish > ~/.config/fish/completions/nws.fish'],
      ),
    ),
  handler: async (flags) => {
    const shell = String(flags.shell ?? basename(io.env.SHELL ?? 'bash'));
    if (!Object.hasOwn(SCRIPTS, shell)) {
      throw badSetting(`there are no completions for ${shell}`, 'name one: bash, zsh or fish');
    }
    io.stdout.write(SCRIPTS[shell as keyof typeof SCRIPTS](await wordsOf(commands, io)));
  },
});
