// The page's language: Chinese first, English second.

export const isChinese = !(document.documentElement.lang || 'zh-CN').toLowerCase().startsWith('en');

/** The text in the page's language. */
export const say = (chinese, english) => (isChinese ? chinese : english);

const clock = new Intl.DateTimeFormat(isChinese ? 'zh-CN' : 'en-GB', {
  timeZone: 'Asia/Shanghai', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false,
});

/** Time of day in Asia/Shanghai, as `10:42:07`. */
export const timeOfDay = (when) => clock.format(when ? new Date(when) : new Date());
