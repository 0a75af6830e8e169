import face from './face.svg';
import './style.css';

document.getElementById('face').src = face;

const time = document.getElementById('time');
const tick = () => {
  time.textContent = new Date().toLocaleTimeString('en');
};
tick();
setInterval(tick, 1000);

document.querySelector('button').addEventListener('click', async ({ currentTarget }) => {
  const { today } = await import('./day.js');
  currentTarget.textContent = today(new Date());
});
