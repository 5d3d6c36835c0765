/** A font of three by five pixels, for labels in small images. */

export const glyphWidth = 3;
export const glyphHeight = 5;

/** Characters, and the rows of their glyphs side by side, `#` where they are drawn. */
const sheet: readonly (readonly [characters: string, ...rows: string[]])[] = [
  [
    "0   1   2   3   4   5   6   7   8   9",
    "### .#. ##. ##. #.# ### .## ### ### ###",
    "#.# ##. ..# ..# #.# #.. #.. ..# #.# #.#",
    "#.# .#. .#. .#. ### ##. ### .#. ### ###",
    "#.# .#. #.. ..# ..# ..# #.# .#. #.# ..#",
    "### ### ### ##. ..# ##. ### .#. ### ##.",
  ],
  [
    "A   B   C   D   E   F   G   H   I   J   K   L   M",
    ".#. ##. .## ##. ### ### .## #.# ### ..# #.# #.. #.#",
    "#.# #.# #.. #.# #.. #.. #.. #.# .#. ..# #.# #.. ###",
    "### ##. #.. #.# ##. ##. #.# ### .#. ..# ##. #.. ###",
    "#.# #.# #.. #.# #.. #.. #.# #.# .#. #.# #.# #.. #.#",
    "#.# ##. .## ##. ### #.. .## #.# ### .#. #.# ### #.#",
  ],
  [
    "N   O   P   Q   R   S   T   U   V   W   X   Y   Z",
    "##. .#. ##. .#. ##. .## ### #.# #.# #.# #.# #.# ###",
    "#.# #.# #.# #.# #.# #.. .#. #.# #.# #.# #.# #.# ..#",
    "#.# #.# ##. #.# ##. .#. .#. #.# #.# ### .#. .#. .#.",
    "#.# #.# #.. ### #.# ..# .#. #.# #.# ### #.# .#. #..",
    "#.# .#. #.. .## #.# ##. .#. ### .#. #.# #.# .#. ###",
  ],
  [
    ".   -   %   :   ?",
    "... ... #.# ... ##.",
    "... ... ..# .#. ..#",
    "... ### .#. ... .#.",
    "... ... #.. .#. ...",
    ".#. ... #.# ... .#.",
  ],
  [
    "+   ,   !   '   (   )   /   _   =",
    "... ... .#. .#. ..# #.. ..# ... ...",
    ".#. ... .#. .#. .#. .#. ..# ... ###",
    "### ... .#. ... .#. .#. .#. ... ...",
    ".#. .#. ... ... .#. .#. #.. ... ###",
    "... #.. .#. ... ..# #.. #.. ### ...",
  ],
];

const glyphs = new Map(
  sheet.flatMap(([characters, ...rows]) =>
    characters.split(/\s+/).map((character, i) => [character, rows.map((row) => row.split(" ")[i] ?? "")] as const),
  ),
);

/** The rows of a character, `#` where it is drawn; none for one that the font lacks. Letters have no case. */
export const glyphOf = (character: string): readonly string[] => glyphs.get(character.toUpperCase()) ?? [];
