"""Every key, defined once: what it is called, which keys press it, what it does, and where it is listed.

    s g u    the stepper, the gradients, the units      arrows   move                  .     one step of training
    Space    run or pause                               Enter    into the selection    [ ]   time, back and on
    v m      the next view, the next metric             Esc      leave                 , ;   the sample before, after
    w z      update the weights, undo it                c C      check, compare        b     follow this

A key means one thing: where it does something it does that kind of thing (`KeyCommand.kind`), and elsewhere it says in
one line that it does nothing here. A `KeyCommand` becomes a binding (and so the footer), an entry of the command
palette and a line of the help screen. Its `id` is what a key map names: with `next = "l"` in keys.toml, l is the key
for the next term.
"""

from __future__ import annotations

from tui.shell.key_command import KeyCommand

MOVE, INTO, LEAVE, RUN, TIME, SAMPLE, FOLLOW = "move", "into", "leave", "run", "time", "sample", "follow"
CHECK, HINT, GIVE_UP, NEXT, BEFORE, SEED = "check", "hint", "give up", "next", "before", "seed"
PRACTICE, EDIT = "practice", "edit"
TO_STEPPER, TO_GRADIENTS, TO_UNITS, LESSONS, FILTER = "stepper", "gradients", "units", "lessons", "filter"
"""The kinds of things that several commands do."""

APP_COMMANDS = (
    KeyCommand(
        "help",
        "question_mark,f1",
        "help",
        "Help",
        "Keys, glossary, and what the words mean",
        "Everywhere",
        "?",
    ),
    KeyCommand(
        "palette", "ctrl+p", "command_palette", "Palette", "Find any command by its name", "Everywhere"
    ),
    KeyCommand("theme", "ctrl+t", "switch_theme", "Theme", "Switch between dark and light", "Everywhere"),
    KeyCommand(
        "scroll-lesson-down",
        "shift+down",
        "scroll_lesson(5)",
        "Lesson down",
        "Scroll the lesson that stands beside its experiment (from 120 columns on)",
        "Everywhere",
    ),
    KeyCommand(
        "scroll-lesson-up",
        "shift+up",
        "scroll_lesson(-5)",
        "Lesson up",
        "Scroll the lesson beside the experiment back",
        "Everywhere",
    ),
    KeyCommand(
        "save",
        "ctrl+s",
        "save",
        "Save",
        "Save this screen as a picture or text, its numbers as csv, the experiment as a file",
        "Everywhere",
        priority=True,
    ),
    KeyCommand(
        "command-line",
        "Y",
        "command_line",
        "Command line",
        "Copy the command that shows the same from the command line",
        "Everywhere",
    ),
    KeyCommand(
        "editor",
        "E",
        "editor",
        "Editor",
        "The experiment's text in your own editor; loaded on return",
        "Everywhere",
    ),
    KeyCommand("reload", "ctrl+l", "reload", "Load again", "Read the experiment's file again", "Everywhere"),
    KeyCommand("quit", "q", "quit", "Quit", "Leave bptui", "Everywhere", "q", kind=LEAVE),
    KeyCommand(
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
    KeyCommand("home.open", "enter", "choose", "Open", "Open the marked experiment", "Home", "↵", kind=INTO),
    KeyCommand(
        "home.lessons",
        LESSON_KEYS,
        "lessons",
        "Lessons",
        "The lessons, item by item of the tutorials",
        "Home",
        "T",
        kind=LESSONS,
    ),
    KeyCommand(
        "home.file", "o", "open_file", "Open file", "Open an experiment from a TOML file", "Home", "o"
    ),
    KeyCommand(
        "home.filter",
        "slash",
        "filter",
        "Filter",
        "Show only the experiments that hold what is typed",
        "Home",
        "/",
        kind=FILTER,
    ),
    KeyCommand(
        "home.practice",
        PRACTICE_KEYS,
        "practice",
        "Practice",
        "Questions and exercises to answer",
        "Home",
        "P",
        kind=PRACTICE,
    ),
    KeyCommand(
        "home.bug", BUG_KEYS, "bug", "Bug hunt", "A backward pass in which one op is wrong", "Home", "B"
    ),
    KeyCommand("home.down", "down", "highlight(1)", "Down", "The next experiment", "Home", kind=MOVE),
    KeyCommand("home.up", "up", "highlight(-1)", "Up", "The experiment before", "Home", kind=MOVE),
    KeyCommand("home.clear", "escape", "clear", "Show all", "Show all experiments again", "Home", kind=LEAVE),
)

STEPPER_COMMANDS = (
    KeyCommand(
        "next",
        "right",
        "step(1)",
        "Next",
        "The next term (or what the detail level counts)",
        "Stepper",
        "→",
        kind=MOVE,
    ),
    KeyCommand("previous", "left", "step(-1)", "Back", "The previous term", "Stepper", kind=MOVE),
    KeyCommand("next-node", "down", "node(1)", "Node", "The next node", "Stepper", "↓", kind=MOVE),
    KeyCommand("previous-node", "up", "node(-1)", "Previous node", "The previous node", "Stepper", kind=MOVE),
    KeyCommand(
        "target",
        "t",
        "target",
        "Target",
        "Choose what to differentiate by, by typing its name",
        "Stepper",
        "t",
    ),
    KeyCommand(
        "update",
        "w",
        "update",
        "Update",
        "Apply the update of the weights and see the loss change",
        "Stepper",
        "w",
    ),
    KeyCommand("undo", "z,ctrl+z", "undo", "Undo", "Take the last edit or update back", "Stepper"),
    KeyCommand(
        "edit",
        "e",
        "edit",
        "Edit",
        "Set a weight, bias, input or label to a number of your own",
        "Stepper",
        "e",
        kind=EDIT,
    ),
    KeyCommand(
        "settings",
        "N",
        "settings",
        "Settings",
        "Change learning rate, optimiser, loss, activations, slope",
        "Stepper",
    ),
    KeyCommand(
        "charts",
        "g,f3",
        "screen('gradients')",
        "Gradients",
        "Train, and watch the gradients of all layers",
        "Stepper",
        "g",
        kind=TO_GRADIENTS,
    ),
    KeyCommand(
        "units",
        "u,f4",
        "screen('relu')",
        "Units",
        "Train, and watch which ReLUs die",
        "Stepper",
        "u",
        kind=TO_UNITS,
    ),
    KeyCommand(
        "next-phase", "tab", "phase(1)", "Phase", "The next phase: forward, loss, backward, update", "Stepper"
    ),
    KeyCommand("previous-phase", "shift+tab", "phase(-1)", "Previous phase", "One phase back", "Stepper"),
    KeyCommand("start", "home", "start", "Start", "The first node of the forward pass", "Stepper", kind=MOVE),
    KeyCommand("end", "end", "end", "End", "The end, the update", "Stepper", kind=MOVE),
    KeyCommand("detail", "d", "detail", "Detail", "What one step is: a term, a node, a layer", "Stepper"),
    KeyCommand(
        "autoplay", "space", "autoplay", "Play", "Step by itself; again to pause", "Stepper", kind=RUN
    ),
    KeyCommand(
        "diagram", "M", "diagram", "Map", "Choose the target by moving through the network", "Stepper"
    ),
    KeyCommand(
        "next-sample", "semicolon", "next_sample(1)", "Next sample", "The next sample", "Stepper", kind=SAMPLE
    ),
    KeyCommand(
        "previous-sample",
        "comma",
        "next_sample(-1)",
        "Previous sample",
        "The previous sample",
        "Stepper",
        kind=SAMPLE,
    ),
    KeyCommand("sample", "S", "sample", "Sample", "Choose the sample by its number", "Stepper"),
    KeyCommand(
        "branch", "b", "branch", "Follow", "At a fork: follow the next branch", "Stepper", kind=FOLLOW
    ),
    KeyCommand(
        "predict",
        "p",
        "predict",
        "Predict",
        "Answer each factor before it is shown: formula or number",
        "Stepper",
    ),
    KeyCommand(
        "derivation",
        "enter",
        "derivation",
        "Written out",
        "Into this gradient: its whole derivation on a page",
        "Stepper",
        kind=INTO,
    ),
    KeyCommand(
        "matrices",
        "x",
        "matrices",
        "Matrices",
        "The whole computation as matrix products, shapes checked",
        "Stepper",
    ),
    KeyCommand(
        "jacobian", "J", "jacobian", "Jacobian", "The Jacobian of this term over the samples", "Stepper"
    ),
    KeyCommand(
        "lines", "X", "lines", "Simplify", "Sigmoid and cross-entropy multiplied out, line by line", "Stepper"
    ),
    KeyCommand("digits", "f", "digits", "Digits", "Show more digits of every number: 4, 6, 10", "Stepper"),
    KeyCommand(
        "check",
        "c",
        "check",
        "Check",
        "The central difference of this entry, beside the gradient",
        "Stepper",
        kind=CHECK,
    ),
    KeyCommand(
        "export", "y", "export", "Copy", "Copy or save the derivation: text, Markdown or LaTeX", "Stepper"
    ),
    KeyCommand(
        "lessons",
        LESSON_KEYS,
        "lessons",
        "Lessons",
        "The lessons on this experiment",
        "Stepper",
        kind=LESSONS,
    ),
    KeyCommand(
        "back",
        "escape",
        "back",
        "Home",
        "Back to the chart that led here, or to the list of experiments",
        "Stepper",
        kind=LEAVE,
    ),
)
"""A number typed before a move repeats it: 5 and the right arrow is five terms on."""

TRAINING_COMMANDS = (
    KeyCommand("run", "space", "run", "Run", "Train, or pause", "Training", "␣", kind=RUN),
    KeyCommand("one-step", "full_stop", "one_step", "Step", "One step of training", "Training", "."),
    KeyCommand(
        "to-stepper",
        "enter",
        "stepper",
        "Into",
        "The stepper, on what is selected",
        "Training",
        "↵",
        kind=INTO,
    ),
    KeyCommand(
        "show-stepper",
        "s",
        "stepper",
        "Stepper",
        "The stepper, at the present weights",
        "Training",
        kind=TO_STEPPER,
    ),
    KeyCommand(
        "earlier", "left_square_bracket", "travel(-1)", "Earlier", "Back in time", "Training", kind=TIME
    ),
    KeyCommand(
        "later", "right_square_bracket", "travel(1)", "Later", "Forward in time", "Training", kind=TIME
    ),
    KeyCommand("faster", "greater_than_sign", "speed(1)", "Faster", "More steps a second", "Training"),
    KeyCommand("slower", "less_than_sign", "speed(-1)", "Slower", "Fewer steps a second", "Training"),
    KeyCommand("rate-up", "plus", "learning_rate(1)", "Rate up", "Twice the learning rate", "Training"),
    KeyCommand("rate-down", "minus", "learning_rate(-1)", "Rate down", "Half the learning rate", "Training"),
    KeyCommand("reset", "r", "reset", "Reset", "Begin anew with the same weights", "Training"),
    KeyCommand("reseed", "R", "reseed", "Reseed", "Begin anew with other random weights", "Training"),
    KeyCommand(
        "leaky", "L", "leaky", "Leaky", "Begin anew with leaky ReLUs, or with ReLUs again", "Training"
    ),
    KeyCommand(
        "next-init", "i", "next_init", "Init", "Begin anew with the next way to initialise", "Training"
    ),
    KeyCommand(
        "slope-up", "right_curly_bracket", "slope(1)", "Steeper", "Twice the slope of leaky ReLUs", "Training"
    ),
    KeyCommand(
        "slope-down",
        "left_curly_bracket",
        "slope(-1)",
        "Flatter",
        "Half the slope of leaky ReLUs",
        "Training",
    ),
    KeyCommand(
        "confusion",
        "O",
        "confusion",
        "Outcomes",
        "Which class is taken for which, over the whole data set",
        "Training",
    ),
    KeyCommand(
        "collapse", "D", "collapse", "One matrix", "The one matrix that a linear network is", "Training"
    ),
    KeyCommand(
        "training-lessons",
        LESSON_KEYS,
        "lessons",
        "Lessons",
        "The lessons on this experiment",
        "Training",
        kind=LESSONS,
    ),
    KeyCommand(
        "training-back", "escape", "back", "Home", "Back to the list of experiments", "Training", kind=LEAVE
    ),
)

LOOKING_COMMANDS = (
    KeyCommand(
        "filter",
        "slash",
        "filter",
        "Filter",
        "Only layers whose name holds a text or fits an expression",
        "Training",
        "/",
        kind=FILTER,
    ),
    KeyCommand(
        "cross-hair",
        "a",
        "cross_hair",
        "Cross-hair",
        "Read values off a step, in every picture",
        "Training",
        "a",
    ),
    KeyCommand(
        "cross-right", "right_parenthesis", "cross(1)", "Cross-hair on", "To a later step", "Training"
    ),
    KeyCommand(
        "cross-left", "left_parenthesis", "cross(-1)", "Cross-hair back", "To an earlier step", "Training"
    ),
)
"""Which layers and which step are looked at: the same ones on all screens of a training."""

GRADIENTS_COMMANDS = (
    *TRAINING_COMMANDS[:4],
    KeyCommand(
        "view", "v", "view(1)", "View", "Profile, history, heat strip, factor budget", "Gradients", "v"
    ),
    KeyCommand(
        "metric",
        "m",
        "metric",
        "Metric",
        "max, mean or L2 norm of ∂ℰ/∂W, or the norm of δ = ∂ℰ/∂f",
        "Gradients",
        "m",
    ),
    KeyCommand(
        "compare",
        "C",
        "compare",
        "Compare",
        "The same network with ReLU (or sigmoid) beside it",
        "Gradients",
        "C",
    ),
    KeyCommand(
        "to-relu", "u,f4", "screen('relu')", "Units", "The dead-ReLU monitor", "Gradients", "u", kind=TO_UNITS
    ),
    KeyCommand(
        "try-remedy",
        "F",
        "try_remedy",
        "Remedy",
        "Begin anew with what the findings advise, beside the run as it was",
        "Gradients",
        "F",
    ),
    KeyCommand("axis", "A", "axis", "Axis", "A linear or a logarithmic axis", "Gradients"),
    KeyCommand(
        "findings-down",
        "down",
        "findings(1)",
        "More findings",
        "Scroll the findings down",
        "Gradients",
        kind=MOVE,
    ),
    KeyCommand(
        "findings-up", "up", "findings(-1)", "Findings up", "Scroll the findings up", "Gradients", kind=MOVE
    ),
    KeyCommand("fold", "H", "fold", "Fold", "Fold or unfold a block's parameters", "Gradients"),
    KeyCommand("fold-all", "Z", "fold_all", "Fold all", "Fold or unfold every block", "Gradients"),
    KeyCommand(
        "layer-down", "ctrl+down", "row(1)", "Row down", "The next row of the list of layers", "Gradients"
    ),
    KeyCommand("layer-up", "ctrl+up", "row(-1)", "Row up", "The row before", "Gradients"),
    KeyCommand("page-down", "pagedown", "row(10)", "Ten down", "Ten rows on", "Gradients", kind=MOVE),
    KeyCommand("page-up", "pageup", "row(-10)", "Ten up", "Ten rows back", "Gradients", kind=MOVE),
    KeyCommand(
        "unread",
        "exclamation_mark",
        "unread",
        "Unread lines",
        "Lines of a log that could not be read",
        "Gradients",
    ),
    KeyCommand(
        "compare-with",
        "V",
        "compare_with",
        "Compare with",
        "Another experiment beside it, by name",
        "Gradients",
    ),
    KeyCommand(
        "blame",
        "b",
        "blame",
        "Follow",
        "Follow the gradient down: which factor makes it small or large",
        "Gradients",
        kind=FOLLOW,
    ),
    KeyCommand("layer-right", "right", "layer(1)", "Next layer", "The next layer", "Gradients", kind=MOVE),
    KeyCommand(
        "layer-left", "left", "layer(-1)", "Previous layer", "The previous layer", "Gradients", kind=MOVE
    ),
    KeyCommand(
        "layer-first", "home", "layer_end(False)", "First layer", "The first layer", "Gradients", kind=MOVE
    ),
    KeyCommand(
        "layer-last", "end", "layer_end(True)", "Last layer", "The last layer", "Gradients", kind=MOVE
    ),
    *LOOKING_COMMANDS,
    *TRAINING_COMMANDS[4:],
)

RELU_COMMANDS = (
    *TRAINING_COMMANDS[:4],
    KeyCommand("next-dead", "n", "next_dead", "Next dead", "The next dead unit", "Units", "n"),
    KeyCommand(
        "to-gradients",
        "g,f3",
        "screen('gradients')",
        "Gradients",
        "The gradient-magnitude chart",
        "Units",
        "g",
        kind=TO_GRADIENTS,
    ),
    KeyCommand("unit-right", "right", "move(0,1)", "Next unit", "The next unit", "Units", kind=MOVE),
    KeyCommand("unit-left", "left", "move(0,-1)", "Previous unit", "The previous unit", "Units", kind=MOVE),
    KeyCommand("unit-down", "down", "move(1,0)", "Next layer", "The next layer", "Units", kind=MOVE),
    KeyCommand("unit-up", "up", "move(-1,0)", "Previous layer", "The previous layer", "Units", kind=MOVE),
    *LOOKING_COMMANDS,
    *TRAINING_COMMANDS[4:],
)

LESSONS_COMMANDS = (
    KeyCommand(
        "lessons.read", "enter", "choose", "Read", "Read the marked lesson", "Lessons", "↵", kind=INTO
    ),
    KeyCommand(
        "lessons.close",
        "escape",
        "close",
        "Back",
        "Back to where one came from",
        "Lessons",
        "Esc",
        kind=LEAVE,
    ),
)

LESSON_COMMANDS = (
    KeyCommand(
        "lesson.open",
        "enter",
        "open",
        "Experiment",
        "Open the lesson's experiment, on the screen that shows it",
        "Lessons",
        "↵",
        True,
        kind=INTO,
    ),
    KeyCommand("lesson.next", "right", "turn(1)", "Next", "The next lesson", "Lessons", "→", True, kind=MOVE),
    KeyCommand(
        "lesson.previous",
        "left",
        "turn(-1)",
        "Previous",
        "The lesson before",
        "Lessons",
        None,
        True,
        kind=MOVE,
    ),
    KeyCommand(
        "lesson.close", "escape", "close", "Back", "Back to where one came from", "Lessons", "Esc", kind=LEAVE
    ),
    KeyCommand(
        "lesson.answer",
        PRACTICE_KEYS,
        "answer",
        "Answer",
        "Questions about this item",
        "Lessons",
        "P",
        kind=PRACTICE,
    ),
    KeyCommand(
        "lesson.reveal",
        "f6",
        "reveal",
        "Reveal",
        "Show the answer to the question",
        "Lessons",
        "F6",
        kind=GIVE_UP,
    ),
)

READING_COMMANDS = (
    KeyCommand("reading.down", "down", "scroll(1)", "Down", "Scroll down", "Pages", kind=MOVE),
    KeyCommand("reading.up", "up", "scroll(-1)", "Up", "Scroll up", "Pages", kind=MOVE),
    KeyCommand("reading.close", "escape,q", "close", "Close", "Close the page", "Pages", kind=LEAVE),
)

MAP_COMMANDS = (
    KeyCommand("map.right", "right", "move(1,0)", "Right", "One column towards the loss", "Map", kind=MOVE),
    KeyCommand("map.left", "left", "move(-1,0)", "Left", "One column towards the input", "Map", kind=MOVE),
    KeyCommand("map.down", "down", "move(0,1)", "Down", "The next unit", "Map", kind=MOVE),
    KeyCommand("map.up", "up", "move(0,-1)", "Up", "The previous unit", "Map", kind=MOVE),
    KeyCommand("map.choose", "enter", "choose", "Choose", "Differentiate by this", "Map", kind=INTO),
    KeyCommand("map.edit", "e", "edit", "Edit", "Set what is under the cursor to a number", "Map", kind=EDIT),
    KeyCommand("map.close", "escape,q", "close", "Leave", "Leave it as it was", "Map", kind=LEAVE),
)

MATRICES_COMMANDS = (
    *READING_COMMANDS,
    KeyCommand("matrices.edit", "e", "edit", "Edit", "Set an entry of a given matrix", "Pages", kind=EDIT),
)

SETTINGS_COMMANDS = (
    KeyCommand(
        "settings.change",
        "enter",
        "choose",
        "Change",
        "Change the marked setting",
        "Settings",
        "↵",
        kind=INTO,
    ),
    KeyCommand("settings.close", "escape,q", "close", "Leave", "Back to the stepper", "Settings", kind=LEAVE),
)

SAVE_COMMANDS = (
    KeyCommand("save.close", "escape,q", "close", "Leave", "Save nothing", "Questions", kind=LEAVE),
)

EXPORT_COMMANDS = (
    KeyCommand("export.close", "escape,q", "close", "Leave", "Leave it", "Questions", kind=LEAVE),
)

ANSWER_COMMANDS = (
    KeyCommand(
        "answer.hint",
        "f5",
        "hint",
        "Hint",
        "The next hint: the rule, the factor, the formula",
        "Answers",
        "F5",
        kind=HINT,
    ),
    KeyCommand(
        "answer.give-up", "f6", "give_up", "Give up", "Show the answer", "Answers", "F6", kind=GIVE_UP
    ),
)

"""Keys that are no letters: those belong to the answer."""

SCROLL_COMMANDS = (
    KeyCommand(
        "answer.scroll-down",
        "down,pagedown",
        "scroll(4)",
        "Down",
        "Scroll the question",
        "Answers",
        kind=MOVE,
    ),
    KeyCommand("answer.scroll-up", "up,pageup", "scroll(-4)", "Up", "Scroll it back", "Answers", kind=MOVE),
)

PREDICT_COMMANDS = (
    ANSWER_COMMANDS[1],
    *(
        command
        for command in STEPPER_COMMANDS
        if command.id in ("next-node", "previous-node", "next-phase", "previous-phase")
    ),
    KeyCommand("predict.again", "ctrl+r", "again", "Again", "Begin again", "Answers", "^R"),
    KeyCommand(
        "predict.close", "escape", "close", "Back", "Back to the stepper", "Answers", "Esc", kind=LEAVE
    ),
)

PRACTICE_COMMANDS = (
    *ANSWER_COMMANDS,
    *SCROLL_COMMANDS,
    KeyCommand(
        "practice.next", "f8,ctrl+n", "turn(1)", "Next", "The next question", "Answers", "F8", kind=NEXT
    ),
    KeyCommand(
        "practice.previous", "f7", "turn(-1)", "Previous", "The question before", "Answers", kind=BEFORE
    ),
    KeyCommand(
        "practice.level",
        "f9",
        "level",
        "Level",
        "Exercises of the next level; then the tutorials",
        "Answers",
        "F9",
    ),
    KeyCommand(
        "practice.seed", "f10", "seed", "Seed", "The exercises of a seed, to share them", "Answers", kind=SEED
    ),
    KeyCommand("practice.record", "f11", "record", "Record", "What was mistaken most", "Answers"),
    KeyCommand("practice.reset", "f12", "reset", "Reset", "Forget everything that was answered", "Answers"),
    KeyCommand(
        "practice.close",
        "escape",
        "close",
        "Back",
        "Back to where one came from",
        "Answers",
        "Esc",
        kind=LEAVE,
    ),
)

BUG_COMMANDS = (
    KeyCommand(
        "bug.mark",
        "enter",
        "mark",
        "Mark",
        "This gradient is sent wrongly",
        "Find the bug",
        "↵",
        True,
        kind=INTO,
    ),
    KeyCommand(
        "bug.check",
        "c",
        "check",
        "Check",
        "Central differences: which parameters are wrong",
        "Find the bug",
        "c",
        kind=CHECK,
    ),
    KeyCommand(
        "bug.give-up", "f6", "give_up", "Give up", "Tell where it is", "Find the bug", "F6", kind=GIVE_UP
    ),
    KeyCommand(
        "bug.next",
        "f8,ctrl+n",
        "turn(1)",
        "Next",
        "The bug of the next seed",
        "Find the bug",
        "F8",
        kind=NEXT,
    ),
    KeyCommand(
        "bug.previous",
        "f7",
        "turn(-1)",
        "Previous",
        "The bug of the seed before",
        "Find the bug",
        kind=BEFORE,
    ),
    KeyCommand(
        "bug.seed", "f10", "seed", "Seed", "The bug of a seed, to share it", "Find the bug", kind=SEED
    ),
    KeyCommand(
        "bug.close",
        "escape",
        "close",
        "Back",
        "Back to where one came from",
        "Find the bug",
        "Esc",
        kind=LEAVE,
    ),
)

PROMPT_COMMANDS = (
    KeyCommand("prompt.complete", "tab", "complete", "Complete", "Take the suggestion", "Questions"),
    KeyCommand("prompt.close", "escape", "close", "Leave", "Leave it as it was", "Questions", kind=LEAVE),
)
"""While text is typed, keys are text; so only these."""

BUSY_COMMANDS = (
    KeyCommand(
        "busy.end", "escape", "close", "End", "End what is being computed", "While computing", kind=LEAVE
    ),
)

ALL_COMMANDS = tuple(
    dict.fromkeys(
        (
            *STEPPER_COMMANDS,
            *GRADIENTS_COMMANDS,
            *RELU_COMMANDS,
            *HOME_COMMANDS,
            *LESSONS_COMMANDS,
            *LESSON_COMMANDS,
            *MAP_COMMANDS,
            *READING_COMMANDS,
            *PROMPT_COMMANDS,
            *BUSY_COMMANDS,
            *PRACTICE_COMMANDS,
            *BUG_COMMANDS,
            *PREDICT_COMMANDS,
            *EXPORT_COMMANDS,
            *MATRICES_COMMANDS,
            *SETTINGS_COMMANDS,
            *SAVE_COMMANDS,
            *APP_COMMANDS,
        )
    )
)
"""Everything, for the help screen and for checking key maps."""
