r"""What makes bash, zsh and fish complete bptui's arguments; none of it ever runs a file's name.

    shell ──words typed so far──> bptui ──"path" NUL name NUL …──> shell, which quotes each name as it wants it

Click's own scripts paste names into the command line as they are, so that a file called ``$(touch x).toml`` would be
run by the next Enter, and one with a space or a line break is taken apart. Here a name is one item from the disk to the
command line: a NUL byte ends it, the one character that no file name holds, and it is handed to the shell as a file
name, so that the shell's own quoting is used. What is not a name of a file is made of plain characters.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

PLAIN, FILE, FOLDER = "plain", "path", "folder"
"""The kinds of item: a word of plain characters, a file's name, and a folder's, which more may follow."""

_BASH = r"""
%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS= read -r -d '' kind && IFS= read -r -d '' value && IFS= read -r -d '' _; do
        if [[ $kind != plain ]]; then
            compopt -o filenames
            value=${value%%/}
        fi
        COMPREPLY+=("$value")
    done < <(COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT COMP_PIECE=${COMP_WORDS[COMP_CWORD]} \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = r"""#compdef %(prog_name)s
%(complete_func)s() {
    local -a answer words_only described labels files folders
    (( ! $+commands[%(prog_name)s] )) && return 1
    answer=("${(@0)$(COMP_LINE="${(j: :)words[1,CURRENT]}" \
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    local kind value help
    for kind value help in "${(@)answer}"; do
        case $kind in
            plain) if [[ -n $help ]]; then described+=("$value"); labels+=("$value  -- $help")
                   else words_only+=("$value"); fi ;;
            path) files+=("$value") ;;
            folder) folders+=("$value") ;;
        esac
    done
    (( $#described )) && compadd -U -l -V described -d labels -a described
    (( $#words_only )) && compadd -U -V words -a words_only
    (( $#files )) && compadd -U -f -V files -a files
    (( $#folders )) && compadd -U -f -S '' -V folders -a folders
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = r"""
function %(complete_func)s
    set -l line (commandline -cp | string collect)
    set -l answer (COMP_LINE=$line %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null | string split0)
    set -l items
    while test (count $answer) -ge 3
        if test -n "$answer[3]"
            set -a items $answer[2]\t$answer[3]
        else
            set -a items $answer[2]
        end
        set -e answer[1..3]
    end
    test (count $items) -gt 0; and string join0 -- $items | string split0
end
complete --command %(prog_name)s --no-files --arguments "(%(complete_func)s)"
"""


class _CompletionItems(ShellComplete):
    """The part that the three shells share: what was typed, and items whose fields are ended by NUL bytes."""

    def complete(self) -> str:
        """Kind, value and help of every item, each ended by a NUL byte."""
        args, incomplete = self.get_completion_args()
        fields: list[str] = []
        for item in self._items(args, incomplete):
            value = self.inserted(item.value, incomplete)
            if _can_be_written(value):
                fields += [item.type, value, (item.help or "").partition("\n")[0]]
        return "\0".join([*fields, ""])

    def _items(self, args: list[str], incomplete: str) -> Iterator[CompletionItem[str]]:
        for item in self.get_completions(args, incomplete):
            if item.type in ("file", "dir"):  # click leaves these to the shell
                yield from path_items(incomplete, "" if item.type == "file" else None)
            else:
                yield item

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor, and the beginning of the one at it, without their quotes."""
        line = os.environ.get("COMP_LINE", "")
        point = os.environ.get("COMP_POINT", "")
        return typed_words(line[: int(point)] if point.isdecimal() else line)

    def inserted(self, value: str, incomplete: str) -> str:
        """What the shell puts in the place of the word that it completes."""
        return value

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Of no use here: `complete` writes the items."""
        raise NotImplementedError


class BashCompletionItems(_CompletionItems, BashComplete):
    """Completion for bash, which takes a word apart at every colon and equals sign."""

    source_template = _BASH

    def inserted(self, value: str, incomplete: str) -> str:
        """Without what stands before the last piece."""
        piece = os.environ.get("COMP_PIECE", "").strip(":=")
        before = len(incomplete) - len(piece)
        return value[before:] if before > 0 and incomplete.endswith(piece) and ":" in incomplete else value

    @staticmethod
    def _check_version() -> None:
        """Asks nobody: every bash since 4.4 (2016) has what the script needs."""


class ZshCompletionItems(_CompletionItems, ZshComplete):
    """Completion for zsh."""

    source_template = _ZSH


class FishCompletionItems(_CompletionItems, FishComplete):
    """Completion for fish, which takes a tab for the beginning of a description."""

    source_template = _FISH

    def _items(self, args: list[str], incomplete: str) -> Iterator[CompletionItem[str]]:
        return (item for item in super()._items(args, incomplete) if "\t" not in item.value)


def register() -> None:
    """Registers these completions in the place of click's own."""
    for shell in (BashCompletionItems, ZshCompletionItems, FishCompletionItems):
        add_completion_class(shell)


def path_items(incomplete: str, suffix: str | None) -> Iterator[CompletionItem[str]]:
    """Completions of paths: the files whose names end in `suffix` (None: no files), and the folders."""
    folder, start = incomplete[: incomplete.rfind("/") + 1], incomplete[incomplete.rfind("/") + 1 :]
    try:
        entries = sorted(Path(folder or ".").expanduser().iterdir())
    except (OSError, RuntimeError, ValueError):  # RuntimeError: ~ of somebody who is not known here
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not start
        if not entry.name.startswith(start) or hidden:
            continue
        if entry.is_dir():
            yield CompletionItem(f"{folder}{entry.name}/", type=FOLDER)
        elif suffix is not None and entry.name.endswith(suffix):
            yield CompletionItem(folder + entry.name, type=FILE)


def typed_words(line: str) -> tuple[list[str], str]:
    """The arguments before the last word of a command line, and as much of that word as there is, without quotes.

    ``bptui grads 'my la``  ->  ``(["grads"], "my la")``
    """
    mark = "\x01"  # where the cursor is: the last word ends here, be it empty, quoted or escaped
    words = split_arg_string(line + mark)
    return words[1:-1], words[-1].removesuffix(mark)


def _can_be_written(text: str) -> bool:
    """Whether the shell can be told: a name in bytes that are no text cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
