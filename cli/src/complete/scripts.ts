/** Shells for which there is a script. */
export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** What is put into the start file of each shell. */
export const startLines: Readonly<Record<Shell, string>> = {
  bash: 'source <(stark completion bash)   # in ~/.bashrc',
  zsh: 'source <(stark completion zsh)   # in ~/.zshrc',
  fish: 'stark completion fish | source   # in ~/.config/fish/config.fish',
};

// The word at the cursor is what readline replaces: of `--namespace=te` it is `te`, so what stands before is taken off each choice.
const bash = `_stark() {
  local line="\${COMP_LINE:0:COMP_POINT}" cur="\${COMP_WORDS[COMP_CWORD]}" whole choice before
  whole="\${line##*[[:space:]]}"
  [[ "$cur" == [=:@] ]] && cur=''
  before="\${whole%"$cur"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r choice _; do
    COMPREPLY+=("\${choice#"$before"}")
  done < <(command stark __complete "$line" 2>/dev/null)
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[/=] ]] && compopt -o nospace 2>/dev/null
}
complete -o default -F _stark stark
`;

const zsh = `#compdef stark
_stark() {
  local line="\${(j: :)words[1,CURRENT-1]} \${PREFIX}" choice about
  local -a choices shown open
  while IFS=$'\\t' read -r choice about; do
    if [[ "$choice" == *[/=] ]]; then open+=("$choice")
    else
      choices+=("$choice")
      shown+=("$choice\${about:+  -- $about}")
    fi
  done < <(command stark __complete "$line" 2>/dev/null)
  (( \${#open} )) && compadd -S '' -a open
  (( \${#choices} )) && compadd -l -d shown -a choices
  (( \${#open} + \${#choices} )) || _files
}
(( \${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
compdef _stark stark
`;

const fish = `function __stark_complete
  set -l found (command stark __complete (commandline -cp | string collect) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c stark -e
complete -c stark -f -a '(__stark_complete)'
`;

/** The script of each shell: it asks the program at every stroke of the Tab key, so it never is out of date. */
export const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
