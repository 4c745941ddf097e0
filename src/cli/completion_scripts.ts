/** The completion scripts: one a shell, each with all it has to know in it, so that no key press starts the program. */
import { fishScript } from "./completion_fish.ts";
import type { Flag, Place, Value, Word } from "./completion_model.ts";
import { powershellScript } from "./completion_powershell.ts";

/** A shell that completions can be made for. */
export type Shell = "bash" | "zsh" | "fish" | "powershell";

/** How to install the completions of each shell: told in its script, and in `--help`. */
export const installation: { readonly [Name in Shell]: string } = {
  bash: "callmend completions bash > ~/.local/share/bash-completion/completions/callmend",
  zsh:
    'callmend completions zsh > "${fpath[1]}/_callmend"   # or, behind compinit: source <(callmend completions zsh)',
  fish: "callmend completions fish > ~/.config/fish/completions/callmend.fish",
  powershell: "callmend completions powershell | Out-String | Invoke-Expression   # in $PROFILE",
};

/** Writes the script of a shell; `places` is what may stand where. */
export function completionScript(shell: Shell, places: readonly Place[]): string {
  return `# Completions of callmend. To install them:\n#   ${installation[shell]}\n${scripts[shell](places)}`;
}

const scripts: { readonly [Name in Shell]: (places: readonly Place[]) => string } = {
  bash: bashScript,
  zsh: (places) => `#compdef callmend\n${zshScript(places)}`,
  fish: fishScript,
  powershell: powershellScript,
};

/** A text as one word of a POSIX shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** One arm of a `case`; none when there is nothing that it could fit. */
function arm(fits: readonly string[], does: string, indent: string): string {
  return fits.length === 0
    ? ""
    : `${indent}${fits.map(quoted).join(" | ")})\n${indent}  ${does}\n${indent}  ;;\n`;
}

/** The places with something in common, by what they have in common. */
function grouped(entries: readonly (readonly [fits: string, does: string])[], indent: string): string {
  const groups = Map.groupBy(entries, ([, does]) => does);
  return [...groups].map(([does, members]) => arm(members.map(([fits]) => fits), does, indent)).join("");
}

/** How a word is passed on the way to the cursor: the same for all POSIX shells. */
function wayThrough(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => path);
  const steps = paths.map((path) => path.includes(" ") ? path : ` ${path}`);
  const valued = places.flatMap(({ path, flags }) =>
    flags.filter(({ value }) => value).flatMap(({ names }) => names.map((name) => `${path} ${name}`))
  );
  const behind = places.filter((place) => place.behind !== undefined)
    .map(({ path, behind }): [string, string] => [`${path} --`, `place=${quoted(behind!)} at=0`]);
  return arm(valued, "((n++))", "      ") + grouped(behind, "      ") +
    arm(steps, 'place="${place:+$place }$each" at=0', "      ");
}

/** What completes a value, as the shell writes it. */
type Does = (value: Value) => string;

const valueArms = (places: readonly Place[], does: Does) =>
  grouped(
    places.flatMap(({ path, flags }) =>
      flags.flatMap(({ names, value }) =>
        value ? names.map((name): [string, string] => [`${path} ${name}`, does(value)]) : []
      )
    ),
    "    ",
  );

const operandArms = (places: readonly Place[], does: Does) =>
  grouped(
    places.flatMap(({ path, commands, operands }) => {
      const all: readonly Value[] = commands.length > 0 ? [{ kind: "words", words: commands }] : operands;
      return all.filter(({ kind }) => kind !== "any")
        .map((value, at): [string, string] => [`${path} ${at}`, does(value)]);
    }),
    "    ",
  );

const flagArms = (places: readonly Place[], does: (flags: readonly Flag[]) => string) =>
  grouped(places.map(({ path, flags }): [string, string] => [path, does(flags)]), "    ");

function bashScript(places: readonly Place[]): string {
  const list = (words: readonly string[]) => `words=${quoted(words.join(" "))}`;
  const does: Does = (value) => {
    if (value.kind === "words") return list(value.words.map(({ name }) => name));
    return value.kind === "files" ? "files=yes" : "return";
  };
  return `_callmend() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local place='' words='' files='' each at=0 n
  COMPREPLY=()
  # Bash cuts --flag=value into three words.
  if [[ $word == = ]]; then
    word=''
  elif [[ $before == = && COMP_CWORD -gt 2 ]]; then
    before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((n = 1; n < COMP_CWORD; n++)); do
    each=\${COMP_WORDS[n]}
    [[ $each == = ]] && { ((n++)); continue; }
    case "$place $each" in
${wayThrough(places).replaceAll("((n++))", "[[ ${COMP_WORDS[n + 1]} == = ]] || ((n++))")}      *' -'*) ;;
      *) ((at++)) ;;
    esac
  done
  case "$place $before" in
${valueArms(places, does)}  esac
  if [[ -z $words$files && $word != -* ]]; then
    case "$place $at" in
${operandArms(places, does)}    esac
  fi
  if [[ -z $words$files ]]; then
    case "$place" in
${flagArms(places, (flags) => list(flags.flatMap(({ names }) => names)))}    esac
  fi
  if [[ -n $files ]]; then
    compopt -o filenames 2> /dev/null # not in the bash of macOS
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -F _callmend callmend
`;
}

function zshScript(places: readonly Place[]): string {
  const described = ({ name, means }: Word) =>
    quoted(`${name.replaceAll(":", "\\:")}${means === "" ? "" : `:${means}`}`);
  const list = (words: readonly Word[]) => `found=(${words.map(described).join(" ")})`;
  const does: Does = (value) => {
    if (value.kind === "words") return list(value.words);
    return value.kind === "files" ? "_files; return" : "_message value; return";
  };
  const flagWords = (flags: readonly Flag[]) =>
    flags.flatMap(({ names, means }) => names.map((name): Word => ({ name, means })));
  return `_callmend() {
  local word=\${words[CURRENT]} before=\${words[CURRENT-1]} place='' each
  local -i at=0 n
  local -a found
  if [[ $word == --*=* ]]; then
    before=\${word%%=*}
    compset -P '*='
    word=''
  fi
  for ((n = 2; n < CURRENT; n++)); do
    each=\${words[n]}
    case "$place $each" in
${wayThrough(places)}      *' -'*) ;;
      *) ((at++)) ;;
    esac
  done
  case "$place $before" in
${valueArms(places, does)}  esac
  if [[ \${#found} -eq 0 && $word != -* ]]; then
    case "$place $at" in
${operandArms(places, does)}    esac
  fi
  if [[ \${#found} -eq 0 ]]; then
    case "$place" in
${flagArms(places, (flags) => list(flagWords(flags)))}    esac
  fi
  _describe callmend found
}
if [[ \${funcstack[1]} == _callmend ]]; then
  _callmend "$@"
else
  compdef _callmend callmend
fi
`;
}
