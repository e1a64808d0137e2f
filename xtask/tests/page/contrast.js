(() => {
  const numbers = text => (text.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map(c => c / 255)
    .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const colour = numbers(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const drawnBehind = text => {
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let colour = behind(text);
    for (const rect of text.ownerSVGElement.querySelectorAll('rect')) {
      const r = rect.getBoundingClientRect();
      const before = rect.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (before && r.left <= x && x <= r.right && r.top <= y && y <= r.bottom) {
        colour = numbers(getComputedStyle(rect).fill);
      }
    }
    return colour;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  const poor = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const words = walker.currentNode.data.trim();
    if (!words || ['STYLE', 'style', 'title', 'desc'].includes(element.nodeName)) continue;
    const drawn = element.ownerSVGElement;
    const style = getComputedStyle(element);
    const got = ratio(numbers(drawn ? style.fill : style.color), drawn ? drawnBehind(element) : behind(element));
    seen += 1;
    if (got < 4.5) poor.push(`${words}: ${got.toFixed(2)}`);
  }
  return { seen, poor };
})()
