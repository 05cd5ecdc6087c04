/** Days in Beijing, by arithmetic alone: contracts and the protocol know no clock and no calendar of a machine. */

const daySeconds = 86_400;
const offsetSeconds = 8 * 3600;
/** Days from 0000-03-01 to 1970-01-01 in the Gregorian calendar, whose eras of 400 years have 146,097 days. */
const epochDays = 719_468;
const eraDays = 146_097;

/** The first second of a day (YYYY-MM-DD) in Beijing, Unix seconds. */
export function dayStart(day: string): number {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  // Years that begin in March end with the leap day.
  const from = month <= 2 ? year - 1 : year;
  const era = Math.floor(from / 400);
  const ofEra = from - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + date - 1;
  const days = era * eraDays + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - epochDays;
  return days * daySeconds - offsetSeconds;
}

/** The day in Beijing of a moment in Unix seconds. */
export function beijingDay(seconds: number): string {
  const days = Math.floor((seconds + offsetSeconds) / daySeconds) + epochDays;
  const era = Math.floor(days / eraDays);
  const ofEra = days - era * eraDays;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const shifted = Math.floor((5 * ofYear + 2) / 153);
  const date = ofYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return `${digits(year + era * 400 + (month <= 2 ? 1 : 0), 4)}-${digits(month, 2)}-${digits(date, 2)}`;
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, '0');
}
