"""Token mixers: the part of a block that mixes positions, one file each.

`def x(*, embed_dim: int, grid_size: int, ...) -> nn.Module` builds a module that maps tokens
[batch, tokens, embed_dim], row by row over a square grid of `grid_size` x `grid_size`, to the same
shape. All mixers have one form, `proj(M(value(tokens)))`: two linear layers on each token, and
between them an M that mixes positions channel by channel (or head by head). The mixers differ in M
alone: where its weights reach, whether places share them, and whether they depend on the image.

The module also has

- `reach()`: bool [tokens, tokens], True where the output of the row's token may depend on the input
  of the column's;
- `note`: what a user should know about these parameters on this grid, or None;
- `weights(tokens)`, if it is attention: [batch, heads, tokens, tokens]; rows sum to 1, or to 0
  where a token attends to none.

A mixer may take parameters that the skeleton sets: `layer`, the block's index in its stage;
`relative_bias`, whether a bias of the scores is learned for each offset; `class_token`, whether a
token without a place stands before the grid's.
"""
