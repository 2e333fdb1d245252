"""How is one gradient taken apart and checked? Chain rule, paths, matrix form, central differences."""
