"""Every key, defined once: what it is called, which keys press it, what it does, and where it is listed.

A `Command` becomes a binding (and so the footer), an entry of the command palette and a line of the help screen.
Its `id` is what a key map names: with `next = "l"` in keys.toml, l is the key for the next term.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do.

    `keys` are Textual's key names, separated by commas; `shown` is how the footer writes the key, and None
    leaves the command out of the footer (help and palette have it all the same). With `priority` the key
    counts even where a widget has a use of its own for it.
    """

    id: str
    keys: str
    action: str
    label: str
    help: str
    group: str
    shown: str | None = None
    priority: bool = False

    def binding(self) -> Binding:
        """As Textual wants it."""
        return Binding(
            self.keys,
            self.action,
            self.label,
            show=self.shown is not None,
            key_display=self.shown,
            id=self.id,
            priority=self.priority,
            tooltip=self.help,
        )


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The bindings of a screen's commands."""
    return [command.binding() for command in commands]


APP_COMMANDS = (
    Command(
        "help",
        "question_mark,f1",
        "help",
        "Help",
        "Keys, glossary, and what the words mean",
        "Everywhere",
        "?",
    ),
    Command("palette", "ctrl+p", "command_palette", "Palette", "Find any command by its name", "Everywhere"),
    Command("theme", "ctrl+t", "switch_theme", "Theme", "Switch between dark and light", "Everywhere"),
    Command("quit", "q", "quit", "Quit", "Leave bptui", "Everywhere", "q"),
    Command(
        "interrupt",
        "ctrl+c,ctrl+q",
        "quit",
        "Quit at once",
        "Leave bptui from anywhere",
        "Everywhere",
        priority=True,
    ),
)

LESSON_KEYS = "T,f2"
"""The keys that lead to the lessons, the same on every screen."""

PRACTICE_KEYS = "P"
BUG_KEYS = "B"
"""The keys that lead to the exercises, and to the bug hunts."""

HOME_COMMANDS = (
    Command("home.open", "enter", "choose", "Open", "Open the marked experiment", "Home", "↵", True),
    Command(
        "home.lessons",
        LESSON_KEYS,
        "lessons",
        "Lessons",
        "The lessons, item by item of the tutorials",
        "Home",
        "T",
    ),
    Command(
        "home.practice",
        PRACTICE_KEYS,
        "practice",
        "Practice",
        "Questions and exercises to answer",
        "Home",
        "P",
    ),
    Command(
        "home.bug", BUG_KEYS, "bug", "Find the bug", "A backward pass in which one op is wrong", "Home", "B"
    ),
    Command("home.file", "o", "open_file", "Open file", "Open an experiment from a TOML file", "Home", "o"),
)

STEPPER_COMMANDS = (
    Command(
        "next",
        "right,n,space,enter",
        "step(1)",
        "Next",
        "The next term (or what the detail level counts)",
        "Move",
        "→",
    ),
    Command("previous", "left,backspace", "step(-1)", "Back", "The previous term", "Move", "←"),
    Command("next-node", "down,j", "node(1)", "Node", "The next node", "Move", "↓"),
    Command("previous-node", "up,k", "node(-1)", "Previous node", "The previous node", "Move"),
    Command(
        "next-phase", "tab", "phase(1)", "Phase", "The next phase: forward, loss, backward, update", "Move"
    ),
    Command("previous-phase", "shift+tab", "phase(-1)", "Previous phase", "One phase back", "Move"),
    Command("start", "home,g", "start", "Start", "The first node of the forward pass", "Move"),
    Command("end", "end", "end", "End", "The end, the update", "Move"),
    Command("detail", "d", "detail", "Detail", "What one step is: a term, a node, a layer", "Move"),
    Command("autoplay", "a", "autoplay", "Autoplay", "Step by itself; again to stop", "Move"),
    Command(
        "target",
        "t",
        "target",
        "Target",
        "Choose what to differentiate by, by typing its name",
        "Choose",
        "t",
    ),
    Command("diagram", "m", "diagram", "Map", "Choose it by moving through the network", "Choose", "m"),
    Command("sample", "s", "sample", "Sample", "Choose the sample", "Choose"),
    Command(
        "next-sample", "right_square_bracket", "next_sample(1)", "Next sample", "The next sample", "Choose"
    ),
    Command(
        "previous-sample",
        "left_square_bracket",
        "next_sample(-1)",
        "Previous sample",
        "The previous sample",
        "Choose",
    ),
    Command("branch", "b", "branch", "Branch", "At a fork: follow the next branch", "Choose"),
    Command(
        "matrices",
        "x",
        "matrices",
        "Matrices",
        "The whole computation as matrix products, shapes checked",
        "Look",
    ),
    Command("jacobian", "J", "jacobian", "Jacobian", "The Jacobian of this term over the samples", "Look"),
    Command(
        "derivation", "l", "derivation", "Written out", "The whole derivation, written out on a page", "Look"
    ),
    Command(
        "lines", "v", "lines", "Simplify", "Sigmoid and cross-entropy multiplied out, line by line", "Look"
    ),
    Command("digits", "f", "digits", "Digits", "Show more digits of every number: 4, 6, 10", "Look"),
    Command(
        "check", "c", "check", "Check", "The central difference of this entry, beside the gradient", "Look"
    ),
    Command("update", "u", "update", "Update", "Apply W ← W - η ∂ℰ/∂W and see the loss change", "Do", "u"),
    Command("undo", "z,ctrl+z", "undo", "Undo", "Take the last update back", "Do"),
    Command(
        "charts",
        "f3,G",
        "screen('gradients')",
        "Charts",
        "Train, and watch the gradients of all layers",
        "Do",
        "G",
    ),
    Command("units", "f4,U", "screen('relu')", "Units", "Train, and watch which ReLUs die", "Do"),
    Command(
        "export",
        "y",
        "export",
        "Copy",
        "Copy or save the derivation: text, Markdown or LaTeX",
        "Do",
        "y",
    ),
    Command(
        "predict", "p", "predict", "Predict", "Answer each factor before it is shown: formula or number", "Do"
    ),
    Command("lessons", LESSON_KEYS, "lessons", "Lessons", "The lessons on this experiment", "Do"),
    Command("back", "escape", "back", "Home", "Back to the list of experiments", "Do"),
)
"""A number typed before a move repeats it: 5n is five terms on."""

TRAINING_COMMANDS = (
    Command("run", "space", "run", "Run", "Train, or pause", "Training", "␣"),
    Command("one-step", "full_stop", "one_step", "Step", "One step of training", "Training", "."),
    Command("faster", "greater_than_sign", "speed(1)", "Faster", "More steps a second", "Training"),
    Command("slower", "less_than_sign", "speed(-1)", "Slower", "Fewer steps a second", "Training"),
    Command("rate-up", "plus", "learning_rate(1)", "Rate up", "Twice the learning rate", "Training"),
    Command("rate-down", "minus", "learning_rate(-1)", "Rate down", "Half the learning rate", "Training"),
    Command("reset", "r", "reset", "Reset", "Begin anew with the same weights", "Training"),
    Command("reseed", "R", "reseed", "Reseed", "Begin anew with other random weights", "Training"),
    Command("earlier", "left_square_bracket", "travel(-1)", "Earlier", "Back in time", "Training"),
    Command("later", "right_square_bracket", "travel(1)", "Later", "Forward in time", "Training"),
    Command(
        "to-stepper", "enter,s", "stepper", "Stepper", "The stepper, at the present weights", "Training", "↵"
    ),
    Command(
        "confusion",
        "o",
        "confusion",
        "Outcomes",
        "Which class is taken for which, over the whole data set",
        "Training",
    ),
    Command("collapse", "D", "collapse", "One matrix", "The one matrix that a linear network is", "Training"),
    Command(
        "training-lessons", LESSON_KEYS, "lessons", "Lessons", "The lessons on this experiment", "Training"
    ),
    Command("training-back", "escape", "back", "Home", "Back to the list of experiments", "Training"),
)

GRADIENTS_COMMANDS = (
    Command("view", "v", "view(1)", "View", "Profile, history, heat strip, factor budget", "Gradients", "v"),
    Command(
        "metric",
        "m",
        "metric",
        "Metric",
        "max, mean or L2 norm of ∂ℰ/∂W, or the norm of δ = ∂ℰ/∂f",
        "Gradients",
        "m",
    ),
    Command(
        "compare",
        "c",
        "compare",
        "Compare",
        "The same network with ReLU (or sigmoid) beside it",
        "Gradients",
        "c",
    ),
    Command("compare-with", "C", "compare_with", "Compare with", "Another experiment, by name", "Gradients"),
    Command(
        "blame",
        "b",
        "blame",
        "Blame",
        "Which factor is to blame: the weights or the activation",
        "Gradients",
        "b",
    ),
    Command(
        "try-remedy",
        "F",
        "try_remedy",
        "Try remedy",
        "Begin anew with what the findings advise, beside the run as it was",
        "Gradients",
        "F",
    ),
    Command("axis", "A", "axis", "Axis", "A linear or a logarithmic axis", "Gradients"),
    Command("findings-down", "down", "findings(1)", "More findings", "Scroll the findings down", "Gradients"),
    Command("findings-up", "up", "findings(-1)", "Findings up", "Scroll the findings up", "Gradients"),
    Command(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Only layers whose name holds a text or fits an expression",
        "Gradients",
    ),
    Command("fold", "z", "fold", "Fold", "Fold or unfold a block's parameters", "Gradients"),
    Command("fold-all", "Z", "fold_all", "Fold all", "Fold or unfold every block", "Gradients"),
    Command("layer-down", "j", "row(1)", "Row down", "The next row of the list of layers", "Gradients"),
    Command("layer-up", "k", "row(-1)", "Row up", "The row before", "Gradients"),
    Command("page-down", "pagedown", "row(10)", "Ten down", "Ten rows on", "Gradients"),
    Command("page-up", "pageup", "row(-10)", "Ten up", "Ten rows back", "Gradients"),
    Command(
        "cross-hair", "x", "cross_hair", "Cross-hair", "Read values off a step, in every picture", "Gradients"
    ),
    Command(
        "cross-right",
        "right_parenthesis",
        "cross(1)",
        "Cross-hair on",
        "To a later step",
        "Gradients",
    ),
    Command(
        "cross-left",
        "left_parenthesis",
        "cross(-1)",
        "Cross-hair back",
        "To an earlier step",
        "Gradients",
    ),
    Command(
        "unread",
        "exclamation_mark",
        "unread",
        "Unread lines",
        "Lines of a log that could not be read",
        "Gradients",
    ),
    Command("layer-right", "right,l", "layer(1)", "Next layer", "The next layer", "Gradients"),
    Command("layer-left", "left,h", "layer(-1)", "Previous layer", "The previous layer", "Gradients"),
    Command("layer-first", "home", "layer_end(False)", "First layer", "The first layer", "Gradients"),
    Command("layer-last", "end", "layer_end(True)", "Last layer", "The last layer", "Gradients"),
    Command("to-relu", "f4,u", "screen('relu')", "Units", "The dead-ReLU monitor", "Gradients", "u"),
    *TRAINING_COMMANDS,
)

RELU_COMMANDS = (
    Command("unit-right", "right,l", "move(0,1)", "Next unit", "The next unit", "Units"),
    Command("unit-left", "left,h", "move(0,-1)", "Previous unit", "The previous unit", "Units"),
    Command("unit-down", "down,j", "move(1,0)", "Next layer", "The next layer", "Units"),
    Command("unit-up", "up,k", "move(-1,0)", "Previous layer", "The previous layer", "Units"),
    Command("next-dead", "n", "next_dead", "Next dead", "The next dead unit", "Units", "n"),
    Command("leaky", "L", "leaky", "Leaky", "Begin anew with leaky ReLUs, or with ReLUs again", "Units", "L"),
    Command("slope-up", "apostrophe", "slope(1)", "Steeper", "Twice the slope of leaky ReLUs", "Units"),
    Command("slope-down", "semicolon", "slope(-1)", "Flatter", "Half the slope of leaky ReLUs", "Units"),
    Command(
        "next-init", "i", "next_init", "Init", "Begin anew with the next way to initialise", "Units", "i"
    ),
    Command(
        "to-gradients",
        "f3,g",
        "screen('gradients')",
        "Gradients",
        "The gradient-magnitude chart",
        "Units",
        "g",
    ),
    *TRAINING_COMMANDS,
)

LESSONS_COMMANDS = (
    Command("lessons.read", "enter", "choose", "Read", "Read the marked lesson", "Lessons", "↵", True),
    Command("lessons.close", "escape", "close", "Back", "Back to where one came from", "Lessons", "Esc"),
)

LESSON_COMMANDS = (
    Command(
        "lesson.open",
        "enter",
        "open",
        "Experiment",
        "Open the lesson's experiment, on the screen that shows it",
        "Lessons",
        "↵",
        True,
    ),
    Command("lesson.answer", PRACTICE_KEYS, "answer", "Answer", "Questions about this item", "Lessons", "P"),
    Command(
        "lesson.reveal", "f6,ctrl+g", "reveal", "Reveal", "Show the answer to the question", "Lessons", "F6"
    ),
    Command("lesson.next", "right,n", "turn(1)", "Next", "The next lesson", "Lessons", "→", True),
    Command("lesson.previous", "left,p", "turn(-1)", "Previous", "The lesson before", "Lessons", "←", True),
    Command("lesson.down", "j", "scroll(1)", "Down", "Scroll down", "Lessons"),
    Command("lesson.up", "k", "scroll(-1)", "Up", "Scroll up", "Lessons"),
    Command("lesson.close", "escape", "close", "Back", "Back to where one came from", "Lessons", "Esc"),
)

READING_COMMANDS = (
    Command("reading.down", "j", "scroll(1)", "Down", "Scroll down", "Pages"),
    Command("reading.up", "k", "scroll(-1)", "Up", "Scroll up", "Pages"),
    Command("reading.close", "escape,q,enter", "close", "Close", "Close the page", "Pages"),
)

PROMPT_COMMANDS = (
    Command("prompt.complete", "tab", "complete", "Complete", "Take the suggestion", "Questions"),
    Command("prompt.close", "escape", "close", "Leave", "Leave it as it was", "Questions"),
)

MAP_COMMANDS = (
    Command("map.right", "right,l", "move(1,0)", "Right", "One column towards the loss", "Map"),
    Command("map.left", "left,h", "move(-1,0)", "Left", "One column towards the input", "Map"),
    Command("map.down", "down,j", "move(0,1)", "Down", "The next unit", "Map"),
    Command("map.up", "up,k", "move(0,-1)", "Up", "The previous unit", "Map"),
    Command("map.choose", "enter,space", "choose", "Choose", "Differentiate by this", "Map"),
    Command("map.close", "escape,q,m", "close", "Leave", "Leave it as it was", "Map"),
)

ANSWER_COMMANDS = (
    Command(
        "answer.hint",
        "f5",
        "hint",
        "Hint",
        "The next hint: the rule, the factor, the formula",
        "Answers",
        "F5",
    ),
    Command("answer.give-up", "f6,ctrl+g", "give_up", "Give up", "Show the answer", "Answers", "F6"),
)
"""Keys that are no letters: those belong to the answer."""

PREDICT_COMMANDS = (
    ANSWER_COMMANDS[1],
    Command("predict.again", "f7", "again", "Again", "Begin again", "Answers", "F7"),
    Command("predict.close", "escape", "close", "Back", "Back to the stepper", "Answers", "Esc"),
)

PRACTICE_COMMANDS = (
    *ANSWER_COMMANDS,
    Command("practice.next", "f8,ctrl+n", "turn(1)", "Next", "The next question", "Answers", "F8"),
    Command("practice.previous", "f7", "turn(-1)", "Previous", "The question before", "Answers"),
    Command(
        "practice.level",
        "f9",
        "level",
        "Level",
        "Exercises of the next level; then the tutorials",
        "Answers",
        "F9",
    ),
    Command("practice.seed", "f10", "seed", "Seed", "The exercises of a seed, to share them", "Answers"),
    Command("practice.record", "f11", "record", "Record", "What was mistaken most", "Answers"),
    Command("practice.reset", "f12", "reset", "Reset", "Forget everything that was answered", "Answers"),
    Command("practice.close", "escape", "close", "Back", "Back to where one came from", "Answers", "Esc"),
)

BUG_COMMANDS = (
    Command(
        "bug.mark", "enter,space", "mark", "Mark", "This gradient is sent wrongly", "Find the bug", "↵", True
    ),
    Command(
        "bug.check",
        "c",
        "check",
        "Check",
        "Central differences: which parameters are wrong",
        "Find the bug",
        "c",
    ),
    Command("bug.give-up", "f6,ctrl+g", "give_up", "Give up", "Tell where it is", "Find the bug", "F6"),
    Command("bug.next", "f8,ctrl+n", "turn(1)", "Next", "The bug of the next seed", "Find the bug", "F8"),
    Command("bug.previous", "f7", "turn(-1)", "Previous", "The bug of the seed before", "Find the bug"),
    Command("bug.seed", "f10", "seed", "Seed", "The bug of a seed, to share it", "Find the bug"),
    Command("bug.close", "escape", "close", "Back", "Back to where one came from", "Find the bug", "Esc"),
)

EXPORT_COMMANDS = (Command("export.close", "escape,q", "close", "Leave", "Leave it", "Questions"),)

ALL_COMMANDS = (
    *STEPPER_COMMANDS,
    *GRADIENTS_COMMANDS,
    *(command for command in RELU_COMMANDS if command not in TRAINING_COMMANDS),
    *HOME_COMMANDS,
    *LESSONS_COMMANDS,
    *LESSON_COMMANDS,
    *MAP_COMMANDS,
    *READING_COMMANDS,
    *PROMPT_COMMANDS,
    *EXPORT_COMMANDS,
    *PRACTICE_COMMANDS,
    *BUG_COMMANDS,
    *(command for command in PREDICT_COMMANDS if command not in ANSWER_COMMANDS),
    *APP_COMMANDS,
)
"""Everything, for the help screen and for checking key maps."""
