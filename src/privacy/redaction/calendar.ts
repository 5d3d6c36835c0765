/** Days of the calendar. */

/** Whether a day was or will be: a month of 1 to 12 and a day that it has, of the years 1880 to 2100. */
export function isDay(year: number, month: number, day: number): boolean {
  if (year < 1880 || year > 2100 || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
