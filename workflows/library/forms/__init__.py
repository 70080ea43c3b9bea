"""Forms: form-js files read, checked, computed and rendered without trusting a browser."""
