/** Colors of curves, told apart by people who see colors otherwise too (Okabe and Ito 2008), a little darker for thin lines. */
const colors = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b3fa0", "#5f6b76"] as const;

/** The color of a place, from 0; after the last they begin again. */
export const colorOf = (place: number): string => colors[place % colors.length] ?? colors[0];
