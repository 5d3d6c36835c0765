/** Chinese addresses: divisions, a road or village, and a number, found from the number on both ways. */
import type { PersonalSpan } from "../kinds.ts";

/** Characters of a name of a division or road before its number. */
const longest = 48;
/** Roads and places that have numbers. */
const roads =
  /(?:[路街道巷弄村庄里坊]|大道|胡同|大街|社区|小区|花园|新村|工业园|科技园|开发区)(?:[东西南北中][路街])?(?:[一二三四五六七八九十\d]{1,3}[段道巷路街])?(?:[东西南北][侧段])?$/;
const numbered = /\d{1,5}(?:[-之]\d{1,4})?(?:号院|号楼|号|弄)/g;
/** What continues an address behind its number. */
const further =
  /^(?:[ ,]{0,1}(?:[\u4e00-\u9fff]{0,12}?[A-Za-z]?\d{0,4}(?:号楼|号院|号|栋|幢|座|塔|单元|室|层|楼|房|户|组|院)|[A-Za-z]座|(?<=单元|楼|座|栋|幢|层)\d{3,4}(?!\d))){1,6}/;
/** Names of provinces and municipalities, and what stands for them. */
const provinces =
  /(?:北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)(?=[\u4e00-\u9fff])/;
/** Words before an address that could be taken for a part of it. */
const leading =
  /^.*(?:居住在|住址|地址|住在|位于|坐落于|寄往|寄到|寄至|送到|送至|搬到|搬至|前往|来自|老家在|家住|现住|户籍|就在|[在到于至为是往从去住寄和及与])/;
const division = /[\u4e00-\u9fff]{1,7}?(?:省|自治区|特别行政区|自治州|市|区|县|旗|镇|乡|街道)/;

/** Where the address begins whose number stands at `number`; -1 where nothing before it is a road or a village. */
function beginning(text: string, number: number): number {
  let from = number;
  while (from > 0 && number - from < longest && /[\u4e00-\u9fff\d]/.test(text[from - 1] ?? "")) from--;
  const run = text.slice(from, number);
  if (!roads.test(run)) return -1;
  const province = provinces.exec(run);
  if (province) return from + province.index;
  const first = leading.exec(run);
  // "在" may be part of a name; behind a division it is.
  const cut = first && !division.test(first[0].slice(0, -1)) ? first[0].length : 0;
  return run.length - cut > 2 ? from + cut : -1;
}

/** Finds addresses with the number of a house; a road or a town alone is none. */
export function* chineseAddresses(text: string): Generator<PersonalSpan> {
  let last = 0;
  for (const { index, 0: found } of text.matchAll(numbered)) {
    if (index < last) continue;
    const start = Math.max(beginning(text, index), 0);
    if (start === 0 && beginning(text, index) < 0) continue;
    const behind = index + found.length;
    const more = further.exec(text.slice(Math.max(0, behind), behind + 80))?.[0] ?? "";
    const floor = /^\d{3,4}(?!\d)/.exec(
      /(?:单元|号楼|栋|座|幢)$/.test(found + more) ? text.slice(behind + more.length, behind + more.length + 5) : "",
    );
    last = behind + more.length + (floor?.[0].length ?? 0);
    if (start >= index) continue;
    yield { kind: "address", start, end: last, rule: "chinese-address", certainty: 0.85 };
  }
}
