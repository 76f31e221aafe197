/** How many devices are back after how long, as an SVG picture: time on a logarithmic scale. */

export interface Curve {
  readonly name: string;
  /** Milliseconds, in order, one for each device. */
  readonly times: readonly number[];
  readonly colour: string;
  readonly dashed?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
}

const WIDTH = 420;
const HEIGHT = 250;
const MARGIN = { left: 46, right: 14, top: 30, bottom: 40 };
const LEGEND_LINE = 17;
const FIRST_SECOND = 0.1;
const LAST_SECOND = 1000;
/** Points of a curve: more than that nobody can see. */
const POINTS = 160;

const x = (seconds: number): number => {
  const share =
    Math.log10(Math.max(seconds, FIRST_SECOND) / FIRST_SECOND) / Math.log10(LAST_SECOND / FIRST_SECOND);
  return MARGIN.left + Math.min(1, share) * (WIDTH - MARGIN.left - MARGIN.right);
};
const y = (share: number): number => HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom);
const round = (value: number): string => value.toFixed(1);

function path(times: readonly number[]): string {
  const points = [`M${round(x(FIRST_SECOND))},${round(y(0))}`];
  for (let i = 0; i <= POINTS; i++) {
    const count = Math.round((i / POINTS) * (times.length - 1));
    points.push(`L${round(x(times[count]! / 1000))},${round(y((count + 1) / times.length))}`);
  }
  return `${points.join("")}L${round(x(LAST_SECOND))},${round(y(1))}`;
}

function panel({ title, curves }: Panel): string {
  const lines: string[] = [`<text class="title" x="${MARGIN.left}" y="18">${title}</text>`];
  for (let seconds = FIRST_SECOND; seconds <= LAST_SECOND; seconds *= 10) {
    const at = round(x(seconds));
    lines.push(`<path class="grid" d="M${at},${round(y(0))}V${round(y(1))}"/>`);
    const anchor = seconds < LAST_SECOND ? "middle" : "end";
    const label = `${Number(seconds.toPrecision(1))} s`;
    lines.push(`<text text-anchor="${anchor}" x="${at}" y="${HEIGHT - 24}">${label}</text>`);
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    lines.push(
      `<path class="grid" d="M${round(x(FIRST_SECOND))},${round(y(share))}H${round(x(LAST_SECOND))}"/>`,
    );
    lines.push(
      `<text text-anchor="end" x="${MARGIN.left - 6}" y="${round(y(share) + 4)}">${100 * share} %</text>`,
    );
  }
  curves.forEach(({ name, times, colour, dashed }, i) => {
    const style = `stroke="${colour}"${dashed ? ' stroke-dasharray="5 3"' : ""}`;
    const at = HEIGHT + LEGEND_LINE * i;
    lines.push(`<path class="curve" ${style} d="${path(times)}"/>`);
    lines.push(`<path class="curve" ${style} d="M${MARGIN.left},${at - 4}h26"/>`);
    lines.push(`<text x="${MARGIN.left + 34}" y="${at}">${name}</text>`);
  });
  return lines.join("\n");
}

/** The panels side by side. */
export function plot(title: string, panels: readonly Panel[]): string {
  const width = WIDTH * panels.length;
  const height = HEIGHT + LEGEND_LINE * Math.max(...panels.map(({ curves }) => curves.length));
  const groups = panels.map((one, i) => `<g transform="translate(${WIDTH * i})">\n${panel(one)}\n</g>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img">
<title>${title}</title>
<style>.title{font-weight:bold;font-size:12px}.grid{stroke:#ddd;fill:none}.curve{fill:none;stroke-width:2}</style>
<rect width="${width}" height="${height}" fill="white"/>
${groups.join("\n")}
</svg>
`;
}
