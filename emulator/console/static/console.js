// What HTML cannot do by itself. Each module does one thing.
import "./actions.js";
import "./clock.js";
import "./copy.js";
import "./keys.js";
import "./news.js";
