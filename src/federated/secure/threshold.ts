/** How many clients a sum of secure aggregation needs. */

/** The fewest clients of a sum: of two, each would know the other's. */
export const fewestMembers = 3;

/** The most, since shares have numbers of a byte. */
export const mostMembers = 255;

/**
 * How many of so many clients are needed to unmask: all but a third. Since that is more than half, no two groups of them can be told different things of one client, so
 * that a coordinator that lies about who vanished learns no update either, while fewer than a third of the clients help it (Bonawitz et al. 2017, sec. 6: 2t > n + helpers).
 */
export const thresholdOf = (members: number): number => members - Math.floor(members / 3);
