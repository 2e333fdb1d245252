"""The two themes, dark and light, in a palette that colour-blind readers can tell apart.

The hues are those of Okabe & Ito (2008), lightened for the dark theme and darkened for the light one until each
reaches a contrast of 4.5:1 with its background (WCAG 2.1). Colour never says anything alone: what is done has a
tick, what is current a pointer, and what is off a word.

    $value      a number computed on the way forward      sky blue
    $gradient   a number sent on the way back             orange
    $done       factors that are multiplied in already    bluish green
    $remark     something notable                         reddish purple

`$value-aside` and `$gradient-aside` are those of scalars that are not on the path.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="bptui-dark",
    primary="#56B4E9",
    secondary="#7FA6C9",
    accent="#F0A92E",
    success="#3FC69A",
    warning="#F0A92E",
    error="#FF7F50",
    foreground="#E4E8EE",
    background="#10151C",
    surface="#161D26",
    panel="#1F2833",
    dark=True,
    variables={
        "value": "#74C3F2",
        "value-aside": "#5A9CC4",
        "gradient": "#F5B342",
        "gradient-aside": "#B8893A",
        "done": "#3FC69A",
        "remark": "#EA9CC8",
        "faint": "#8B98A8",
        "edge": "#3A4756",
        "footer-key-foreground": "#F5B342",
    },
)

LIGHT = Theme(
    name="bptui-light",
    primary="#00619B",
    secondary="#40607F",
    accent="#9A5200",
    success="#006B4A",
    warning="#9A5200",
    error="#B03A00",
    foreground="#16202B",
    background="#FBFAF7",
    surface="#F2F0EA",
    panel="#E6E3DB",
    dark=False,
    variables={
        "value": "#00619B",
        "value-aside": "#41728F",
        "gradient": "#9A5200",
        "gradient-aside": "#7F5E2E",
        "done": "#006B4A",
        "remark": "#96346F",
        "faint": "#5B6672",
        "edge": "#B9B5AA",
        "footer-key-foreground": "#9A5200",
    },
)

THEMES = (DARK, LIGHT)
