export const today = (now) => now.toLocaleDateString('en', { weekday: 'long' });
