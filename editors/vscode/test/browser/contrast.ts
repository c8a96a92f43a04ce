/** How well a text stands out from what is behind it (WCAG 2). */

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

export function colour(css: string): Colour {
  const numbers = css.match(/[\d.]+/g)?.map(Number) ?? [];
  const [red = 0, green = 0, blue = 0, alpha = 1] = numbers;
  return [red, green, blue, alpha];
}

/** From 1 (the same) to 21 (black on white); a text that lets its background through is mixed with it. */
export function contrast(text: string, background: string): number {
  const behind = colour(background);
  const [red, green, blue, alpha] = colour(text);
  const mixed = [red, green, blue].map((value, place) => value * alpha + (behind[place] ?? 0) * (1 - alpha));
  const [one, other] = [luminance(mixed), luminance(behind)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function luminance([red = 0, green = 0, blue = 0]: readonly number[]): number {
  const linear = [red, green, blue].map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
}
