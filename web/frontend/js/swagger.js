// The API's own documentation page; the address of the description stands in the page.

import 'swagger-ui-dist/swagger-ui.css';
import '../css/swagger.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { csrfToken } from './http.js';

const place = document.getElementById('swagger-ui');

if (place) {
  SwaggerUI({
    domNode: place,
    url: place.dataset.openapiUrl ?? '/api/v1/openapi.json',
    deepLinking: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers['X-CSRFToken'] = csrfToken();
      return request;
    },
  });
}
